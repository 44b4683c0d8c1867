"""Writing a judged delivery: each table's slices in one commit."""

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.default_status import with_default_status
from loanbook.sources.canonical.frames import Keep
from loanbook.sources.canonical.loans import NO_TERMS, all_loans, first_months
from loanbook.sources.mapping.mapping import EXIT_COLUMNS
from loanbook.sources.publishing.accounts import Accounts
from loanbook.sources.publishing.deliveries import Move, Row, deliveries_frame, earlier_rows, resolved
from loanbook.sources.publishing.judge import Judged
from loanbook.sources.publishing.quarantined import quarantine_rows
from loanbook.sources.publishing.replaced import Replaced, of_slices
from loanbook.sources.publishing.stored import JUDGED, published
from loanbook.tables.columns import DELINQUENT_STATES, of_source
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.superseded import SUPERSEDED
from loanbook.tables.terminations import TERMINATIONS
from loanbook.warehouse.changes import count_changes
from loanbook.warehouse.delta import assert_unique
from loanbook.warehouse.runs import Run

TABLES = (QUARANTINE, LOANS, TERMINATIONS, SUPERSEDED, PERFORMANCE, DELIVERIES)


def publish(
    run: Run,
    judged: Judged,
    rows: Sequence[Row],
    stored: Sequence[Row],
    keep: Keep,
    replayed: str | None = None,
    *,
    any_rejected: bool = True,
) -> dict[str, int]:
    """Write the tables, for the run's row to publish; return how many loans the source has.

    Args:
        run: the job's run.
        judged: the delivery.
        rows: of ``deliveries``, for its files.
        stored: the same of the source's earlier files.
        keep: see frames.py.
        replayed: the delivery whose lines in quarantine come again in this one.
        any_rejected: whether any line, or any terms made of one, are rejected.
    """
    source, replaced = judged.mapping.name, judged.replaced
    history = judged.published.transform(with_default_status(run.settings.default_definition))
    rewritten = judged.slices
    if judged.others is not None:
        history = keep(history, "history")  # compared with what is stored, and written
        rewritten = sorted({*rewritten, *_changed_slices(history, judged.months)})
    loans = keep(_loans(run, judged), "all_loans")
    assert_unique(loans, LOANS)
    assert_unique(judged.published, PERFORMANCE)
    if replayed is not None:
        stored = [resolved(row) if row["delivery"] == replayed else row for row in stored]
    rejected = quarantine_rows(judged.lines, judged.files, run.run_id) if any_rejected else None
    run.replace(QUARANTINE, rejected, replaced.sql())
    if replayed is not None:
        run.replace(QUARANTINE, None, Replaced(source, (), (replayed,)).sql())
    write_loans(run, loans, source)
    run.replace(TERMINATIONS, _terminations(judged, history, rewritten), of_slices(source, rewritten))
    run.replace(PERFORMANCE, _performance(judged, history, rewritten), of_slices(source, rewritten))
    moves = _moves(run, judged)
    if moves or any(row["superseded"] or row["set_aside"] for row in rows) or _has_superseded(run, source):
        run.replace(SUPERSEDED, _superseded(judged), of_source(source))
    new = {row["delivery"] for row in rows}
    earlier = earlier_rows([row for row in stored if row["delivery"] not in new], replaced.holds, moves)
    run.replace(DELIVERIES, deliveries_frame(run, [*rows, *earlier]), of_source(source))
    return _counted_loans(judged, loans)


def write_loans(run: Run, loans: DataFrame, source: str) -> None:
    """Make ``loans`` the source's rows: where none that is there changes, only new ones are written.

    So the log of the table tells a build of features that no loan's terms have changed. A row delivered again
    changes, as it names its delivery and line.
    """
    stored = published(run, LOANS, source)
    columns = [name for name in LOANS.column_names if name not in LOANS.key]
    changed, new = (0, 0) if stored is None else count_changes(stored, loans, ["loan_id"], columns)
    if stored is None or changed:
        run.replace(LOANS, loans, of_source(source))
    elif new:
        run.append(LOANS, loans.join(stored.select("loan_id"), "loan_id", "left_anti"))


def _counted_loans(judged: Judged, loans: DataFrame) -> dict[str, int]:
    """Return the number of loans, and of those without any published month."""
    months = judged.published.select("loan_id")
    if judged.others is not None:
        months = months.union(judged.others.performance.select("loan_id"))
    known = loans.select("loan_id").join(
        months.distinct().withColumn("has_months", F.lit(True)), "loan_id", "left"
    )
    row = known.agg(
        F.count(F.lit(1)).alias("loans"),
        F.count_if(F.col("has_months").isNull()).alias("loans_without_months"),
    ).collect()[0]
    return row.asDict()


def _changed_slices(history: DataFrame, months: DataFrame) -> list[str]:
    """Return the other slices that hold a row which this delivery replaces or judges anew."""
    judged_now = F.struct(*JUDGED, F.when(F.col("exit").isNotNull(), F.col("state_before_exit")))
    judged_anew = history.where(~F.col("is_new") & ~judged_now.eqNullSafe(F.col("stored")))
    replaced = months.where((F.col("was") == "published") & (F.col("fate") != "published"))
    changed = judged_anew.select("slice").union(replaced.select("slice")).distinct()
    return [row["slice"] for row in changed.collect()]


def _loans(run: Run, judged: Judged) -> DataFrame:
    delivered = None if judged.loans is None else judged.loans.where(F.col("fate") == "published")
    stored = published(run, LOANS, judged.mapping.name)
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


def _has_superseded(run: Run, source: str) -> bool:
    stored = published(run, SUPERSEDED, source)
    return stored is not None and not stored.isEmpty()


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


def _moves(run: Run, judged: Judged) -> list[Move]:
    """Return what becomes of rows of earlier deliveries: taken, left after an exit, or back in force."""
    if judged.others is None:
        return []
    moved = judged.months.where(~F.col("is_new") & (F.col("was") != F.col("fate")))
    is_late = F.col("state").isin(*DELINQUENT_STATES)
    counted = moved.groupBy("delivery", "was", "fate").agg(F.count("*"), F.sum("upb"), F.count_if(is_late))
    moves = [Move(*row) for row in counted.collect()]
    stored = published(run, LOANS, judged.mapping.name)
    if judged.delivered_terms is None or stored is None:
        return moves
    delivered = judged.delivered_terms.where(F.col("fate") == "published").select("loan_id")
    has_terms = ~F.array_contains("quality_flags", NO_TERMS)  # such a row is of no line of a loans file
    again = stored.where(~judged.replaced.expr() & has_terms).join(delivered, "loan_id", "left_semi")
    terms = again.groupBy("delivery").agg(F.count("*").alias("loans"), F.sum("original_upb").alias("upb"))
    return moves + [Move(row[0], "published", "superseded", *row[1:]) for row in terms.collect()]


def details(judged: Judged, accounts: Accounts) -> dict[str, Any]:
    """Return what the job reports: lines by fate, reason and flag, slices, and the months published."""
    counted = accounts.counted
    files = {
        kind: [counted[file.delivery] for file in judged.files_of(kind)] for kind in ("loans", "performance")
    }
    every = [counted[file.delivery] for file in judged.files]
    months = files["performance"]
    return {
        "source": judged.mapping.name,
        "loan_months": sum(tally.published for tally in months),
        "lines": sum(file.lines for file in judged.files),
        "rows": sum(tally.rows for tally in every),
        "published": sum(tally.published for tally in every),
        "quarantined": sum(tally.quarantined for tally in every),
        "superseded": sum(tally.superseded for tally in every),
        "set_aside": sum(tally.set_aside for tally in every),
        "rejected": {
            kind: {one.reason: one.rows for one in reasons} for kind, reasons in accounts.rejected.items()
        },
        "flagged": accounts.flagged,
        "slices": len(judged.slices),
        "first_month": min((tally.first_month for tally in months if tally.first_month), default=None),
        "last_month": max((tally.last_month for tally in months if tally.last_month), default=None),
    }
