"""The commits of a table as its log has them: read from files, without a JVM."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Actions = list[dict[str, Any]]

_COMMIT_FILE = re.compile(r"(\d{20})\.json")


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
