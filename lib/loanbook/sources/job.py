"""The job ``ingest_tapes``: a loan tape in; loans, performance, terminations and quarantine out."""

import time
from collections.abc import Sequence
from datetime import date
from typing import Any

from loanbook.errors import InputError
from loanbook.runs import Run
from loanbook.sources.canonical import assert_mapping
from loanbook.sources.files import find_files
from loanbook.sources.frames import keeper
from loanbook.sources.judge import accounted, judge
from loanbook.sources.landing import Landed, landed_files
from loanbook.sources.mapping import TapeMapping, load_mapping
from loanbook.sources.publish import details, publish
from loanbook.storage import local_path

COUNTS = ("loans", "loan_months", "lines", "published", "quarantined", "superseded", "set_aside")


def ingest_tapes(run: Run, *, tapes: Sequence[str], delivered_at: str | None) -> dict[str, Any]:
    """Replace the slices that the tapes deliver, after every line of them is accounted for.

    Returns:
        Loans of the source; loan months, lines by fate, slices, first and last month of the delivery.

    Raises:
        InputError: the mapping or a file is not as required; nothing is published.
        GateRefused: too many lines were rejected; nothing is published.
    """
    mapping = load_mapping(TapeMapping, run.source)
    run.source = mapping.name
    day = parse_day(delivered_at)
    found_files = find_files(tapes, mapping.files)  # a wrong path is found before Spark starts
    assert_mapping(run.spark, mapping)
    folder = local_path(run.settings.paths.landing, "paths.landing") / run.run_id
    started = time.perf_counter()
    with landed_files(mapping.name, found_files, folder, day) as files:
        seconds_landing = round(time.perf_counter() - started, 2)
        assert_pairs(files)
        keep = keeper(folder)
        judged = judge(run, mapping, files, keep)
        counted = accounted(run, judged)
        loans = publish(run, judged, counted, keep)
        found = {"loans": loans, **details(judged, counted), "seconds_landing": seconds_landing}
        for name in COUNTS:
            run.count(name, found[name])
        return found


def parse_day(text: str | None) -> date | None:
    """Return the day that ``--delivered-at`` names, None where it is not given.

    Raises:
        InputError: it is no day.
    """
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            required="--delivered-at as YYYY-MM-DD", found=repr(text), do="write the day so"
        ) from error


def assert_pairs(files: Sequence[Landed]) -> None:
    """Check that each slice comes with all its kinds of files, as its rows are replaced together.

    Raises:
        InputError: one does not.
    """
    slices: dict[int, set[str]] = {}
    for file in files:
        if file.spec.slice is not None:
            slices.setdefault(id(file.spec), set()).add(file.slice)
    every = {name for names in slices.values() for name in names}
    for file in files:
        if lacking := sorted(every - slices.get(id(file.spec), every)):
            raise InputError(
                required=f"a file like {file.name} for each slice",
                found=f"none for {', '.join(lacking[:5])}",
                do="deliver all files of a slice together",
            )
