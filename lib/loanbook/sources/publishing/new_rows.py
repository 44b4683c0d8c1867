"""The rows that a judged delivery makes of its source, before any is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.default_status import with_default_status
from loanbook.settings.book import DefaultDefinition
from loanbook.sources.canonical.frames import Keep
from loanbook.sources.canonical.loans import NO_TERMS, all_loans, first_months
from loanbook.sources.mapping.mapped_columns import EXIT_COLUMNS
from loanbook.sources.publishing.deliveries import Move
from loanbook.sources.publishing.judge import Judged
from loanbook.sources.publishing.stored import JUDGED
from loanbook.tables.columns import DELINQUENT_STATES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.superseded import SUPERSEDED
from loanbook.tables.terminations import TERMINATIONS
from loanbook.warehouse.delta import assert_unique


@dataclass(frozen=True)
class NewRows:
    """What a source's tables hold after a delivery.

    Args:
        loans: all of the source's terms, kept.
        slices: those whose months are written again.
        terminations: of these slices.
        performance: of these slices.
        superseded: all of the source's rows that are not in force.
        moves: what becomes of rows of earlier deliveries.
    """

    loans: DataFrame
    slices: Sequence[str]
    terminations: DataFrame
    performance: DataFrame
    superseded: DataFrame
    moves: Sequence[Move]


def new_rows(judged: Judged, definition: DefaultDefinition, keep: Keep) -> NewRows:
    """Return what a delivery makes of its source.

    Raises:
        InputError: a loan, or a loan's month, comes more than once.
    """
    history = judged.published.transform(with_default_status(definition))
    slices = judged.slices
    if judged.others is not None:
        history = keep(history, "history")  # compared with what is stored, and written
        slices = sorted({*slices, *_changed_slices(history, judged.months)})
    loans = keep(_loans(judged), "all_loans")
    assert_unique(loans, LOANS)
    assert_unique(judged.published, PERFORMANCE)
    return NewRows(
        loans=loans,
        slices=slices,
        terminations=_terminations(judged, history, slices),
        performance=_performance(judged, history, slices),
        superseded=_superseded(judged),
        moves=_moves(judged),
    )


def _changed_slices(history: DataFrame, months: DataFrame) -> list[str]:
    """Return the other slices that hold a row which this delivery replaces or judges anew."""
    judged_now = F.struct(*JUDGED, F.when(F.col("exit").isNotNull(), F.col("state_before_exit")))
    judged_anew = history.where(~F.col("is_new") & ~judged_now.eqNullSafe(F.col("stored")))
    replaced = months.where((F.col("was") == "published") & (F.col("fate") != "published"))
    changed = judged_anew.select("slice").union(replaced.select("slice")).distinct()
    return [row["slice"] for row in changed.collect()]


def _loans(judged: Judged) -> DataFrame:
    delivered = None if judged.loans is None else judged.loans.where(F.col("fate") == "published")
    stored = judged.tables.loans
    first = first_months(judged.published)
    if stored is not None and judged.mapping.derived_terms is not None and judged.loan_ids is not None:
        # Terms of a loan that keeps some month stay known, even where its first month is replaced.
        stored = stored.join(judged.loan_ids.join(first, "loan_id", "left_anti"), "loan_id", "left_anti")
    elif stored is not None:
        stored = stored.where(~judged.replaced.expr())
    return all_loans(delivered, stored, first, judged.mapping)


def _terminations(judged: Judged, history: DataFrame, slices: Sequence[str]) -> DataFrame:
    """Return the rows of loans that left; what a row says of a later disposition was not known before it."""
    exits = history.where(F.col("exit").isNotNull() & F.col("slice").isin(*slices))
    lag = judged.mapping.known_lag_months
    disposed_on = F.last_day(F.add_months(F.col("exit.disposition_date"), lag))
    known = exits.withColumn("known_on", F.coalesce("delivered_at", F.greatest("known_on", disposed_on)))
    rows = known.select(*(name for name in TERMINATIONS.column_names if name in known.columns), "exit.*")
    return _with_untouched(judged, rows, TERMINATIONS.column_names, slices, "terminations")


def _performance(judged: Judged, history: DataFrame, slices: Sequence[str]) -> DataFrame:
    rows = history.where(F.col("slice").isin(*slices)).select(*PERFORMANCE.column_names)
    whole = _with_untouched(judged, rows, PERFORMANCE.column_names, slices, "performance")
    return whole.repartition("as_of_date")  # one file a month


def _with_untouched(
    judged: Judged, rows: DataFrame, columns: list[str], slices: Sequence[str], table: str
) -> DataFrame:
    """Add, of the slices that are written again, the rows of loans that this delivery does not touch."""
    replaced = judged.replaced
    again = [name for name in slices if replaced.kept or name not in replaced.slices]
    if judged.others is None or judged.loan_ids is None or not again:
        return rows
    stored: DataFrame = getattr(judged.others, table)
    untouched = stored.where(F.col("slice").isin(*again)).join(judged.loan_ids, "loan_id", "left_anti")
    return rows.unionByName(untouched.select(*columns))


def _superseded(judged: Judged) -> DataFrame:
    """Return the rows of the source that are not in force: of the loans touched now, and of the others."""
    lost = judged.months.where(F.col("fate").isin("superseded", "set_aside"))
    columns = [name for name in SUPERSEDED.column_names if name not in EXIT_COLUMNS]
    rows = lost.select(*columns, *(F.col("exit")[name].alias(name) for name in EXIT_COLUMNS))
    others = judged.others
    if others is None or others.superseded is None or judged.loan_ids is None:
        return rows
    untouched = others.superseded.join(judged.loan_ids, "loan_id", "left_anti")
    return rows.unionByName(untouched.select(*SUPERSEDED.column_names))


def _moves(judged: Judged) -> list[Move]:
    """Return what becomes of rows of earlier deliveries: taken, left after an exit, or back in force."""
    if judged.others is None:
        return []
    moved = judged.months.where(~F.col("is_new") & (F.col("was") != F.col("fate")))
    is_late = F.col("state").isin(*DELINQUENT_STATES)
    counted = moved.groupBy("delivery", "was", "fate").agg(F.count("*"), F.sum("upb"), F.count_if(is_late))
    moves = [Move(*row) for row in counted.collect()]
    stored = judged.tables.loans
    if judged.delivered_terms is None or stored is None:
        return moves
    delivered = judged.delivered_terms.where(F.col("fate") == "published").select("loan_id")
    has_terms = ~F.array_contains("quality_flags", NO_TERMS)  # such a row is of no line of a loans file
    again = stored.where(~judged.replaced.expr() & has_terms).join(delivered, "loan_id", "left_semi")
    terms = again.groupBy("delivery").agg(F.count("*").alias("loans"), F.sum("original_upb").alias("upb"))
    return moves + [Move(row[0], "published", "superseded", *row[1:]) for row in terms.collect()]
