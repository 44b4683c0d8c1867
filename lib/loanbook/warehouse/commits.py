"""What Delta's log says of a table's commits."""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from pyspark.sql import SparkSession

from loanbook.tables.base import Table
from loanbook.warehouse.commit_log import Actions, parsed
from loanbook.warehouse.delta import delta_log
from loanbook.warehouse.storage import Storage


class ChangedFiles(NamedTuple):
    """Files, below a table's folder, that only the later of two versions has, and only the earlier one."""

    came: set[str]
    went: set[str]

    def add(self, file: str) -> None:
        """Note that a commit adds a file: one that went before is back."""
        if file in self.went:
            self.went.remove(file)
        else:
            self.came.add(file)

    def remove(self, file: str) -> None:
        """Note that a commit removes a file: one that came before has never been there."""
        if file in self.came:
            self.came.remove(file)
        else:
            self.went.add(file)


def changed_files(
    spark: SparkSession, storage: Storage, table: Table, before: int, after: int
) -> ChangedFiles | None:
    """Return the files whose rows came or went between two versions.

    OPTIMIZE moves rows and changes none: its files are left out. Where a RESTORE goes back across one, files
    with the same rows can be among those returned. None where the log no longer has each commit since the
    version ``before``.
    """
    changed = ChangedFiles(set(), set())
    version = before
    for number, actions in commits_by_spark(spark, storage, table, before):
        version += 1
        if number != version or version > after:
            break
        for kind, file in _files(actions):
            (changed.add if kind == "add" else changed.remove)(file)
        if version == after:
            return changed
    return changed if before == after else None


def _files(actions: Actions) -> Iterator[tuple[str, str]]:
    """Yield ``add`` or ``remove`` and the file, of the actions of a commit that change rows."""
    for action in actions:
        for kind in ("add", "remove"):
            if kind in action and action[kind].get("dataChange", True):
                yield kind, unquote(action[kind]["path"])


def commits_by_spark(
    spark: SparkSession, storage: Storage, table: Table, after: int
) -> Iterator[tuple[int, Actions]]:
    """Yield version and actions of each commit after a version that the log still has, oldest first."""
    log = delta_log(spark, storage, table)
    if log is None or log.unsafeVolatileSnapshot().version() == after:
        return
    conf = log.newDeltaHadoopConf()
    files = log.getChangeLogFiles(after + 1, False)  # False: a gap is no error here
    while files.hasNext():
        found = files.next()
        # One text: each line of its own would be a round trip to the JVM.
        yield int(found._1()), parsed(log.store().read(found._2(), conf).mkString("\n"))
