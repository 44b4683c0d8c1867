"""Writing a delivery: each table's slices in one commit."""

from collections.abc import Sequence

from pyspark.sql import DataFrame

from loanbook.sources.publishing.accounts import Accounts
from loanbook.sources.publishing.deliveries import Row, deliveries_frame, earlier_rows, resolved
from loanbook.sources.publishing.judge import Judged
from loanbook.sources.publishing.new_rows import NewRows
from loanbook.sources.publishing.quarantined import quarantine_rows
from loanbook.sources.publishing.replaced import Replaced, of_slices
from loanbook.tables.columns import of_source
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.superseded import SUPERSEDED
from loanbook.tables.terminations import TERMINATIONS
from loanbook.warehouse.changes import count_changes
from loanbook.warehouse.writing import Writer

TABLES = (QUARANTINE, LOANS, TERMINATIONS, SUPERSEDED, PERFORMANCE, DELIVERIES)


def publish(
    writer: Writer,
    judged: Judged,
    accounts: Accounts,
    new: NewRows,
    rows: Sequence[Row],
    stored: Sequence[Row],
    replayed: str | None = None,
) -> None:
    """Write the tables, for the run's row to publish.

    Args:
        writer: of the tables.
        judged: the delivery.
        accounts: of its rows.
        new: what it makes of the source.
        rows: of ``deliveries``, for its files.
        stored: the same of the source's earlier files.
        replayed: the delivery whose lines in quarantine come again in this one.
    """
    source, replaced = judged.mapping.name, judged.replaced
    if replayed is not None:
        stored = [resolved(row) if row["delivery"] == replayed else row for row in stored]
    rejected = quarantine_rows(judged.lines, judged.files, writer.run_id) if accounts.rejected else None
    writer.replace(QUARANTINE, rejected, replaced.sql())
    if replayed is not None:
        writer.replace(QUARANTINE, None, Replaced(source, (), (replayed,)).sql())
    write_loans(writer, new.loans, judged.tables.loans, source)
    writer.replace(TERMINATIONS, new.terminations, of_slices(source, new.slices))
    writer.replace(PERFORMANCE, new.performance, of_slices(source, new.slices))
    if new.moves or any(row["superseded"] or row["set_aside"] for row in rows) or _any_superseded(judged):
        writer.replace(SUPERSEDED, new.superseded, of_source(source))
    of_files = {row["delivery"] for row in rows}
    others = [row for row in stored if row["delivery"] not in of_files]
    earlier = earlier_rows(others, replaced.holds, new.moves)
    deliveries = deliveries_frame(writer.spark, [*rows, *earlier], writer.run_id)
    writer.replace(DELIVERIES, deliveries, of_source(source))


def _any_superseded(judged: Judged) -> bool:
    stored = judged.tables.superseded
    return stored is not None and not stored.isEmpty()


def write_loans(writer: Writer, loans: DataFrame, stored: DataFrame | None, source: str) -> None:
    """Make ``loans`` the source's rows: where none that is there changes, only new ones are written.

    So the log of the table tells a build of features that no loan's terms have changed. A row delivered again
    changes, as it names its delivery and line.

    Args:
        writer: of the table.
        loans: all rows that the source is to have.
        stored: those that are published, None where nothing is.
        source: its name.
    """
    columns = [name for name in LOANS.column_names if name not in LOANS.key]
    changed, new = (0, 0) if stored is None else count_changes(stored, loans, ["loan_id"], columns)
    if stored is None or changed:
        writer.replace(LOANS, loans, of_source(source))
    elif new:
        writer.append(LOANS, loans.join(stored.select("loan_id"), "loan_id", "left_anti"))
