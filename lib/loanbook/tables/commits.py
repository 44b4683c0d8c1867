"""What Delta's log says of a table's commits."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from pyspark.sql import SparkSession

from loanbook.storage import Storage
from loanbook.tables.base import Table, delta_log


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
    commits = delta_log(spark, storage, table).getChanges(before + 1, False)  # False: no error, told below
    version = before
    while version < after and commits.hasNext():
        commit = commits.next()
        version += 1
        if int(commit._1()) != version:
            return None
        for kind, file in _files(commit._2().iterator()):
            (changed.add if kind == "add" else changed.remove)(file)
    return changed if version == after else None


def _files(actions: Any) -> Iterator[tuple[str, str]]:
    """Yield ``add`` or ``remove`` and the file, of the actions of a commit that change rows."""
    while actions.hasNext():
        text = actions.next().json()
        if text.startswith(('{"add":', '{"remove":')):  # some others are not even JSON
            ((kind, file),) = json.loads(text).items()
            if file["dataChange"]:
                yield kind, file["path"]
