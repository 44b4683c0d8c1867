"""The book with its PDs: features of a month and a model in, rows of ``scores`` out."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.tape_kind import IDS
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.fit_for import head_of
from loanbook.models.inputs.model_inputs import model_inputs
from loanbook.models.inputs.spec import InputSpec
from loanbook.scoring.summary import DEFAULTED
from loanbook.scoring.udf import WorkerModel, packed_inputs, pd_udf
from loanbook.tables.columns import STATES

KEPT = (
    "source", "loan_id", "as_of_date", "default_status", "state", "upb", "months_since_report",
    "credit_score", "vintage", "region", "default_definition_id", "quality_flags",
)  # fmt: skip
PDS = ("pd_12m_raw", "pd_12m", "pd_outcome_raw", "pd_outcome", "pd_method")
RARELY_MISSING = 0.05  # an input missing in fewer training rows than this is one the model relies on


def performing_expr() -> Column:
    """Return whether a loan is neither in default nor in probation."""
    return F.col("default_status") == "performing"


def scored_book(features: DataFrame, artefact: Artefact, batch_rows: int) -> DataFrame:
    """Return each loan's PDs, method and flags beside the columns kept of its features.

    A loan in default or probation has ``pd_12m`` 1, no raw PD, and the method ``in_default``; what the tape
    itself calls bad may still come or not, so that its probability is the model's. The method ``prior`` says
    that the model saw no label, and gives every loan the PD that the settings assume.
    """
    spec = artefact.spec
    inputs = model_inputs(features, spec, keep=KEPT)
    predict = pd_udf(WorkerModel.of(artefact, batch_rows))
    flags = F.concat(_flags(spec, artefact), "quality_flags").alias("quality_flags")
    packed = inputs.select(*(name for name in KEPT if name != "quality_flags"), flags, *_packed(spec))
    with_pds = packed.withColumn("pds", predict(F.col("numeric"), F.col("codes")))
    given, missing = _pds(artefact), F.lit(None).cast("double")
    return with_pds.select(*KEPT, *(given.get(name, missing).alias(name) for name in PDS))


def _pds(artefact: Artefact) -> dict[str, Column]:
    """Return the columns that the model's head fills, from its raw and calibrated PD."""
    method, performing = F.lit(_method(artefact)), performing_expr()
    within_12m = {
        "pd_12m_raw": F.when(performing, F.col("pds.pd_raw")),
        "pd_12m": F.when(performing, F.col("pds.pd")).otherwise(F.lit(1.0)),
        "pd_method": F.when(performing, method).otherwise(F.lit("in_default")),
    }
    of_tape = {
        "pd_outcome_raw": F.col("pds.pd_raw"), "pd_outcome": F.col("pds.pd"), "pd_method": method,
    }  # fmt: skip
    filled = {"pd_outcome": of_tape, "pd_12m": within_12m}
    return {name: column for output in head_of(artefact).outputs for name, column in filled[output].items()}


def _method(artefact: Artefact) -> str:
    return "prior" if artefact.json("metrics.json")["method"] == "prior" else "direct"


def _packed(spec: InputSpec) -> tuple[Column, Column]:
    numeric, codes = packed_inputs(spec)
    return numeric.alias("numeric"), codes.alias("codes")


def _flags(spec: InputSpec, artefact: Artefact) -> Column:
    """Return the flags of a row of model inputs.

    stale: not reported in the month. incomplete: it lacks an input that fewer than 5 % of the training rows
    lacked. uncalibrated, insufficient: the model as a whole rests on too few defaults.
    """
    conditions = {
        "stale": F.col("months_since_report") > 0,
        "incomplete": _lacks_an_input(spec),
        "uncalibrated": F.lit(artefact.calibration().uncalibrated),
        "insufficient": F.lit(artefact.status == "insufficient"),
    }
    return F.filter(
        F.array(*[F.when(condition, F.lit(name)) for name, condition in conditions.items()]),
        lambda flag: flag.isNotNull(),
    )


def _lacks_an_input(spec: InputSpec) -> Column:
    lacking = F.lit(False)
    for item in spec.numeric:
        if item.missing_share < RARELY_MISSING:
            lacking = lacking | F.isnan(item.column)
    return lacking


@dataclass(frozen=True)
class Measured:
    """How many loans and how much unpaid balance a book holds, and what its features were built by."""

    loans: int
    upb: Decimal
    ids: dict[str, list[str]]


def measure(book: DataFrame) -> Measured:
    """Return what the scores of the book must add up to."""
    ids = [F.collect_set(name).alias(name) for name in IDS]
    row = book.agg(F.count(F.lit(1)).alias("loans"), _upb().alias("upb"), *ids).collect()[0]
    return Measured(row["loans"], row["upb"], {name: sorted(row[name]) for name in IDS})


def _upb() -> Column:
    return F.coalesce(F.sum("upb"), F.lit(0)).cast("decimal(26,2)")


def by_state(scores: DataFrame, column: str = "pd_12m") -> list[dict[str, Any]]:
    """Return loans, UPB, mean PD and expected defaults by state, and of defaulted loans as the last line.

    Of ``pd_12m`` a defaulted loan has no default to expect. Where every PD only ranks, none has any.
    """
    performing = performing_expr()
    state = F.when(performing, F.col("state")).otherwise(F.lit(DEFAULTED)).alias("state")
    counted = performing if column == "pd_12m" else F.lit(True)
    grouped = scores.groupBy(state).agg(
        F.count(F.lit(1)).alias("loans"),
        _upb().alias("upb"),
        F.round(F.sum(F.when(counted & ~F.col("rank_only"), F.col(column))), 6).alias("expected_defaults"),
        F.bool_or("rank_only").alias("rank_only"),
    )
    order = {name: position for position, name in enumerate((*STATES, None, DEFAULTED))}
    rows = [row.asDict() for row in grouped.collect()]
    for row in rows:
        expected, rank_only = row["expected_defaults"], row.pop("rank_only")
        known = None if rank_only else 1.0
        row["mean_pd"] = known if expected is None else round(expected / row["loans"], 9)
    return sorted(rows, key=lambda row: order[row["state"]])
