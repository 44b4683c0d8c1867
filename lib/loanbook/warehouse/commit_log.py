"""The commits of a table as its log has them: read from files, without a JVM."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Actions = list[dict[str, Any]]

_COMMIT_FILE = re.compile(r"(\d{20})\.json")


def commits_in_folder(folder: Path, after: int) -> Iterator[tuple[int, Actions]]:
    """Yield version and actions of each commit after a version that the log still has, oldest first.

    Args:
        folder: of a local table.
        after: the version.
    """
    for version in _versions(folder):
        if version > after:
            yield version, parsed((folder / "_delta_log" / f"{version:020d}.json").read_text("utf-8"))


def last_version(folder: Path) -> int:
    """Return the last version of a local table, -1 where its log has none.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     (Path(folder) / "_delta_log").mkdir()
    ...     before = last_version(Path(folder))
    ...     (Path(folder) / "_delta_log" / f"{7:020d}.json").touch()
    ...     before, last_version(Path(folder))
    (-1, 7)
    """
    return max(_versions(folder), default=-1)


def _versions(folder: Path) -> list[int]:
    files = (_COMMIT_FILE.fullmatch(file.name) for file in (folder / "_delta_log").iterdir())
    return sorted(int(named[1]) for named in files if named)


def parsed(text: str) -> Actions:
    r"""Return the actions of a commit's file: one JSON object a line.

    >>> parsed('{"commitInfo": {}}\n{"add": {"path": "a.parquet"}}\n')[1]["add"]["path"]
    'a.parquet'
    """
    return [json.loads(line) for line in text.splitlines() if line.strip()]
