"""The book with its PDs: features of a month and a model in, rows of ``scores`` out."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.default_status import performing_expr
from loanbook.book.tape_kind import IDS
from loanbook.features.catalogue.table import FEATURES
from loanbook.models.artefact.artefact import MODEL, Artefact
from loanbook.models.head import Head
from loanbook.models.inputs.model_inputs import numeric_column, require_columns
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.inputs.support import OUT_OF_SUPPORT, inputs_beyond
from loanbook.models.shortfalls import SHORTFALLS
from loanbook.scoring.summary import DEFAULTED
from loanbook.scoring.udf import WorkerModel, predicted
from loanbook.tables.columns import STATES
from loanbook.tables.scores import SCORES

# What scores take over from features as it is.
KEPT = tuple(name for name in SCORES.column_names if name in FEATURES.column_names)
FILLED = tuple(  # what heads fill
    column for column in SCORES.columns if column.name.startswith(("pd_", "prepayment_"))
)
BEYOND = "_inputs_beyond"  # a working column: the names of a loan's inputs that are out of support
RARELY_MISSING = 0.05  # an input missing in fewer training rows than this is one the model relies on


def scored_book(features: DataFrame, artefact: Artefact, predictor: str, batch_rows: int) -> DataFrame:
    """Return each loan's PDs by a predictor, method and flags beside the columns kept of its features.

    Beside these stand the names of its inputs that are out of support, in the working column ``BEYOND``.
    The method is ``direct``, ``in_default`` where the PD is 1 by definition, or ``prior`` where nothing could
    be learnt and every loan has the same PD.
    """
    model = WorkerModel.of(artefact, batch_rows, predictor)
    read = list(dict.fromkeys((*KEPT, *model.target.score_reads, *artefact.spec.feature_columns)))
    require_columns(features, read)
    # The flags come first, so that what they are made from need not travel past the model.
    named = features.select(*read).withColumn(BEYOND, inputs_beyond(artefact.spec))
    flagged = named.withColumn("quality_flags", _flags(artefact, predictor))
    book, predictions = predicted(flagged, {MODEL: model})
    found = predictions[MODEL]
    given = model.target.score_columns(found.raw, found.calibrated, _method(artefact))
    filled = [given.get(column.name, F.lit(None)).cast(column.type).alias(column.name) for column in FILLED]
    return book.select(*KEPT, BEYOND, *filled)


def _method(artefact: Artefact) -> str:
    return "prior" if artefact.json("metrics.json")["method"] == "prior" else "direct"


def _flags(artefact: Artefact, predictor: str) -> Column:
    """Return the flags of a row of features, those that its data has after those of the model.

    stale: not reported in the month. incomplete: it lacks an input that fewer than 5 % of the training rows
    lacked. out_of_support: a number of it is beyond those of the training rows. uncalibrated, insufficient:
    the model as a whole rests on too few defaults. worse_than_constant, worse_than_logit, off_level:
    so was the predictor on rows that it was not fitted on.
    """
    conditions = {
        "stale": F.col("months_since_report") > 0,
        "incomplete": _lacks_an_input(artefact.spec),
        OUT_OF_SUPPORT: F.size(BEYOND) > 0,
        "uncalibrated": F.lit(artefact.calibration(predictor).uncalibrated),
        "insufficient": F.lit(artefact.status == "insufficient"),
        **{name: F.lit(name in artefact.shortfalls(predictor)) for name in SHORTFALLS},
    }
    flags = F.array(*[F.when(condition, F.lit(name)) for name, condition in conditions.items()])
    return F.concat(F.filter(flags, lambda flag: flag.isNotNull()), "quality_flags")


def _lacks_an_input(spec: InputSpec) -> Column:
    lacking = F.lit(False)
    for item in spec.numeric:
        if item.missing_share < RARELY_MISSING:
            lacking = lacking | F.isnan(numeric_column(item))
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


def _impossible(target: Head) -> Column:
    """Return whether a PD is outside 0 to 1, or one that the head fills is missing.

    A number that is none comes out of the workers as null.
    """
    outside = F.lit(False)
    for column in FILLED:
        value = F.col(column.name)
        if column.type == "DOUBLE":
            possible = F.coalesce(value.between(0, 1), F.lit(column.name not in target.fills))
        elif column.type == "ARRAY<DOUBLE>":
            each = F.forall(value, lambda one: F.coalesce(one.between(0, 1), F.lit(False)))
            possible = F.coalesce(each, F.lit(True))
        else:
            continue
        outside = outside | ~possible
    return outside


def by_state(scores: DataFrame, target: Head) -> list[dict[str, Any]]:
    """Return loans, UPB, mean PD and expected events by state, and of defaulted loans as the last line.

    ``impossible`` counts the loans with a PD that is no probability, ``out_of_support`` those with that flag.
    Of loans whose event can no longer come none is expected. Where every PD only ranks, none has any.
    """
    state = F.when(performing_expr(), F.col("state")).otherwise(F.lit(DEFAULTED)).alias("state")
    counted = F.when(target.still_open() & ~F.col("rank_only"), F.col(target.fills[0]))
    grouped = scores.groupBy(state).agg(
        F.count(F.lit(1)).alias("loans"),
        _upb().alias("upb"),
        F.round(F.sum(counted), 6).alias("expected_defaults"),
        F.bool_or("rank_only").alias("rank_only"),
        F.count_if(_impossible(target)).alias("impossible"),
        F.count_if(F.array_contains("quality_flags", OUT_OF_SUPPORT)).alias(OUT_OF_SUPPORT),
    )
    order = {name: position for position, name in enumerate((*STATES, None, DEFAULTED))}
    rows = [row.asDict() for row in grouped.collect()]
    for row in rows:
        expected, rank_only = row["expected_defaults"], row.pop("rank_only")
        known = None if rank_only else 1.0
        row["mean_pd"] = known if expected is None else round(expected / row["loans"], 9)
    return sorted(rows, key=lambda row: order[row["state"]])


def loans_beyond(scored: DataFrame) -> dict[str, int]:
    """Return of how many performing loans of a scored book each input is out of support, the most first."""
    names = scored.where(performing_expr()).select(F.explode(BEYOND).alias("name"))
    found = {row["name"]: int(row["count"]) for row in names.groupBy("name").count().collect()}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
