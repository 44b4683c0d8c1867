"""When the judged loans were originated, which no snapshot holds: vintage is no input by default."""

import dataclasses
from collections.abc import Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.evaluation.sample import Sample


def with_vintages(loans: DataFrame | None, samples: Sequence[Sample]) -> list[Sample]:
    """Return the samples with each row's year of origination, null where it is unknown.

    The months on book would not do: where the origination is unknown they count from the first report.

    Args:
        loans: of the samples' source; None, as only the snapshot is left: all years are unknown.
        samples: whose rows are to be told apart by vintage.
    """
    ids = pd.Series(sorted({loan for part in samples for loan in part.frame["loan_id"]}), dtype=str)
    years = pd.Series(dtype=float) if loans is None or ids.empty else _years(loans, ids)
    return [
        dataclasses.replace(part, frame=part.frame.assign(vintage=part.frame["loan_id"].map(years)))
        for part in samples
    ]


def _years(loans: DataFrame, ids: "pd.Series[str]") -> "pd.Series[float]":
    """Return the year of origination by ``loan_id``, of the loans that have one."""
    wanted = loans.sparkSession.createDataFrame(ids.to_frame("loan_id"))
    dated = loans.select("loan_id", F.year("origination_date").alias("year")).where("year IS NOT NULL")
    found: pd.DataFrame = dated.join(wanted, on="loan_id", how="left_semi").toPandas()
    return found.set_index("loan_id")["year"]
