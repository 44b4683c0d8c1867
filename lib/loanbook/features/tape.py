"""A source's performance as the jobs of features and labels read it."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.features.months import month_number
from loanbook.runs import Run
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.performance import PERFORMANCE

MADE_BY = "ingest-tapes"


@dataclass(frozen=True)
class Tape:
    """One source's performance; months are numbers (see months.py), ``last_month`` the last complete one."""

    source: str
    performance: DataFrame
    first_month: int
    last_month: int
    period_months: int


def read_tape(run: Run) -> Tape:
    """Return the performance of the run's source, with the months that its deliveries complete.

    Raises:
        InputError: no such source, no complete month, or rows of another default definition than set.
    """
    source = run.only_source(PERFORMANCE, made_by=MADE_BY)
    performance = run.read(PERFORMANCE, made_by=MADE_BY).where(F.col("source") == source)
    deliveries = run.read(DELIVERIES, made_by=MADE_BY).where(F.col("source") == source)
    first = performance.agg(
        F.min("as_of_date").alias("month"), F.collect_set("default_definition_id").alias("definitions")
    ).collect()[0]
    last = deliveries.agg(F.max("last_complete_month").alias("month"), F.max("period_months").alias("period"))
    complete = last.collect()[0]
    _require_definition(first["definitions"], run.settings.default_definition.id)
    if complete["month"] is None or complete["month"] < first["month"]:
        raise InputError(
            required=f"a complete reporting month of {source} in deliveries",
            found=f"last complete month {complete['month']}, first reported month {first['month']}",
            do="ingest the tape's months, then run again",
        )
    return Tape(
        source=source,
        performance=performance,
        first_month=month_number(first["month"]),
        last_month=month_number(complete["month"]),
        period_months=int(complete["period"]),
    )


def _require_definition(found: list[str], wanted: str) -> None:
    if found != [wanted]:
        raise InputError(
            required=f"performance whose default status follows the settings' default definition {wanted}",
            found=f"definition {', '.join(sorted(found))}",
            do="set default_definition as it was when the tape was ingested, or ingest the tape again",
        )
