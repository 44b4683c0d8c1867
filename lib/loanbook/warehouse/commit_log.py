"""The commits of a table as its log has them: through Spark, or from files without a JVM."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from loanbook.storage import Storage
from loanbook.tables.base import Table, delta_log, latest_version

Actions = list[dict[str, Any]]

_COMMIT_FILE = re.compile(r"(\d{20})\.json")


def commits_by_spark(
    spark: SparkSession, storage: Storage, table: Table, after: int
) -> Iterator[tuple[int, Actions]]:
    """Yield version and actions of each commit after a version that the log still has, oldest first."""
    latest_version(spark, storage, table)  # brings Delta's own picture of the log up to date
    log = delta_log(spark, storage, table)
    conf = log.newDeltaHadoopConf()
    files = log.getChangeLogFiles(after + 1, False)  # False: a gap is no error here
    while files.hasNext():
        found = files.next()
        # One text: each line of its own would be a round trip to the JVM.
        yield int(found._1()), parsed(log.store().read(found._2(), conf).mkString("\n"))


def commits_in_folder(folder: Path, after: int) -> Iterator[tuple[int, Actions]]:
    """Yield version and actions of each commit after a version that a local table's log still has."""
    versions = sorted(
        int(named[1])
        for file in (folder / "_delta_log").iterdir()
        if (named := _COMMIT_FILE.fullmatch(file.name))
    )
    for version in versions:
        if version > after:
            yield version, parsed((folder / "_delta_log" / f"{version:020d}.json").read_text("utf-8"))


def parsed(text: str) -> Actions:
    """Return the actions of a commit's file, one a line."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]
