"""How a table stands: which version readers see, and which commits after it no run has published.

A table was published at version 3. Then

    version  by              changes rows  readers see
    4        OPTIMIZE        no            4: the same rows in other files
    5        a run, crashed  yes           4: until a run publishes more
    6        OPTIMIZE        no            4: as 6 holds the rows of 5
"""

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loanbook.errors import InputError, LoanbookError
from loanbook.warehouse.commit_log import Actions, commits_in_folder, last_version

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Commit:
    """A commit of a table.

    Args:
        run_id: the run that made it; None: another program.
        changes_rows: False of one that only moves rows to other files (OPTIMIZE), or changes properties.
    """

    version: int
    run_id: str | None
    changes_rows: bool
    operation: str = "unknown"
    engine: str = "an unknown engine"
    at: datetime | None = None

    def __str__(self) -> str:
        """Return version, operation, day and hour, and who made it."""
        at = "" if self.at is None else f" at {self.at:%Y-%m-%d %H:%M} UTC"
        return f"version {self.version} ({self.operation}{at} by {self.run_id or self.engine})"


def commit_of(version: int, actions: Actions) -> Commit:
    """Return what matters of a commit.

    Its files change rows (``add`` and ``remove``) unless they say that they do not, as those of OPTIMIZE.

    Args:
        version: of the table after it.
        actions: the lines of its file in the log.

    >>> optimize = [{"commitInfo": {"operation": "OPTIMIZE"}}, {"add": {"dataChange": False}}]
    >>> commit_of(7, optimize).changes_rows, commit_of(8, [{"remove": {"path": "a"}}]).changes_rows
    (False, True)
    >>> str(commit_of(8, [{"commitInfo": {"operation": "DELETE", "timestamp": 0, "engineInfo": "Trino"}}]))
    'version 8 (DELETE at 1970-01-01 00:00 UTC by Trino)'
    """
    info: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    files = [action.get("add") or action.get("remove") for action in actions]
    at = info.get("timestamp")
    return Commit(
        version=version,
        run_id=_run_id(info.get("userMetadata")),
        changes_rows=any(file.get("dataChange", True) for file in files if file),
        operation=str(info.get("operation", "unknown")),
        engine=str(info.get("engineInfo", "an unknown engine")),
        at=None if at is None else datetime.fromtimestamp(at / 1000, UTC),
    )


def _run_id(metadata: str | None) -> str | None:
    """Return the run that a commit's user metadata names; other programs write other things there."""
    try:
        found = json.loads(metadata or "null")
    except ValueError:
        return None
    return str(found["run_id"]) if isinstance(found, dict) and "run_id" in found else None


@dataclass(frozen=True)
class Standing:
    """A table at a moment.

    Args:
        version: what readers see: the published version, or a later one that holds the same rows.
        latest: the last version.
        unpublished: commits after ``version`` that change rows.
    """

    version: int
    latest: int
    unpublished: tuple[Commit, ...] = ()

    @property
    def foreign(self) -> tuple[Commit, ...]:
        """Return the unpublished commits that another program made.

        >>> mine, other = Commit(4, "run-1", True), Commit(5, None, True)
        >>> [commit.version for commit in Standing(3, 5, (mine, other)).foreign]
        [5]
        """
        return tuple(commit for commit in self.unpublished if commit.run_id is None)


def standing(table: str, published: int, commits: Iterable[Commit]) -> Standing:
    """Return how a table stands, given its last published version and all its commits since.

    Readers follow commits that change no rows, so that the files which OPTIMIZE replaced may be removed. They
    stop before the first commit that changes rows and was not published, and before all that come after it.

    Args:
        table: its name, for the message.
        published: its last published version.
        commits: all after it, in order.

    Raises:
        InputError: the log has lost a commit since the published one.

    >>> moved, unknown = Commit(4, None, False), Commit(5, "run-1", True)
    >>> standing("scores", 3, [moved, unknown, Commit(6, None, False)]).version
    4
    """
    version = latest = published
    unpublished: list[Commit] = []
    for commit in commits:
        if commit.version != latest + 1:
            raise gone(table, published, f"its log begins with version {commit.version}")
        latest = commit.version
        if commit.changes_rows:
            unpublished.append(commit)
        elif not unpublished:
            version = latest
    return Standing(version, latest, tuple(unpublished))


def standing_of_files(folder: Path, table: str, published: int) -> Standing:
    """Return how a local table stands, by its log's files.

    The log of this program names what another program committed.

    Args:
        folder: of the table.
        table: its name, for messages.
        published: its last published version.

    Raises:
        InputError: the log has lost a commit since the published one, or ends before it.
    """
    last = last_version(folder)
    if last < published:
        raise gone(table, published, f"its log ends with version {last}")
    commits = (commit_of(*found) for found in commits_in_folder(folder, published))
    return named_foreign(table, standing(table, published, commits))


def named_foreign(table: str, found: Standing) -> Standing:
    """Return a standing, after the log has named the commits of other programs in it."""
    if found.foreign:
        log.warning(
            "%s: not published, and not shown: %s by another program",
            table,
            ", ".join(map(str, found.foreign)),
        )
    return found


def gone(table: str, version: int, found: str) -> InputError:
    """Return the error of a published version whose log or files were removed."""
    return InputError(
        required=f"the table {table} at version {version}, which a published run names",
        found=f"{found}: VACUUM, or the retention of the log, has removed what is needed of it",
        do=f"publish the table as it stands (loanbook settle-changes --table {table} --take), then run the "
        "job that makes it again; keep files for at least 7 days when you vacuum",
    )


def require_settled(table: str, found: Standing) -> None:
    """Refuse to write a table that another program has changed since it was published.

    A write would either undo that change or publish it, without anyone having decided so.

    Raises:
        InputError: names the commits.

    >>> require_settled("scores", Standing(3, 4, (Commit(4, "run-1", True),)))  # by a run that crashed
    """
    if found.foreign:
        raise InputError(
            required=f"the table {table} as published (version {found.version})",
            found=f"commits of another program: {', '.join(map(str, found.foreign))}",
            do=f"run loanbook settle-changes --table {table}, with --take to publish the table as it stands "
            "or with --undo to make it as published again",
        )


def require_own(table: str, run_id: str, commits: Iterable[Commit]) -> None:
    """Check that no one else has changed rows since the run began to write.

    Raises:
        LoanbookError: names the first commit that did.

    >>> require_own("scores", "run-1", [Commit(4, "run-1", True), Commit(5, None, False)])
    >>> try:
    ...     require_own("scores", "run-1", [Commit(4, None, True, "DELETE", "Trino")])
    ... except LoanbookError as error:
    ...     print(str(error).partition(";")[0])
    the table scores was changed beside this run: version 4 (DELETE by Trino)
    """
    other = next((commit for commit in commits if commit.changes_rows and commit.run_id != run_id), None)
    if other is not None:
        raise LoanbookError(
            f"the table {table} was changed beside this run: {other}; nothing was published, run it again"
        )
