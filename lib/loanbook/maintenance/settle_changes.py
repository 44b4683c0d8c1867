"""The job ``settle_changes``: what other programs committed to a table is published, or undone."""

from typing import Any

from loanbook.errors import InputError
from loanbook.maintenance.every_table import TABLES
from loanbook.settings.section import nearest
from loanbook.tables.base import Table
from loanbook.warehouse import delta
from loanbook.warehouse.runs import Run


def settle_changes(run: Run, *, table: str, take: bool = False, undo: bool = False) -> dict[str, Any]:
    """Publish a table as it stands, or make it as it was last published.

    Args:
        run: the job's run.
        table: its name.
        take: publish what is there, whoever wrote it: also what a killed run left.
        undo: restore the published rows.

    Returns:
        The table, what was done, its version, and the commits that this was decided of.

    Raises:
        InputError: no such table, neither or both decisions, or the published version is no longer kept.
    """
    if take == undo:
        raise InputError(
            required="either --take or --undo",
            found="both" if take else "neither",
            do="give --take to publish the table as it stands, or --undo to make it as last published",
        )
    wanted = _published_table(run, table)
    run.acquire(wanted)
    latest = delta.latest_version(run.spark, run.storage, wanted)
    try:
        commits = [str(commit) for commit in run.standing(wanted).unpublished]
    except InputError:
        if undo:
            raise
        commits = ["unknown: the log has lost them"]
    if take:
        run.publish_as_it_stands(wanted)
    elif commits:
        run.publish_restored(wanted)
    return {
        "table": table, "decision": "taken" if take else "undone", "commits": commits,
        "version": run.outputs.get(table, latest),
    }  # fmt: skip


def _published_table(run: Run, name: str) -> Table:
    known = sorted(set(TABLES) & set(run.published))
    if name in known:
        return TABLES[name]
    raise InputError(
        required=f"--table with a published table: {', '.join(known) or 'none'}",
        found=repr(name) + nearest(name, known, or_all=False),
        do="name one of them",
    )
