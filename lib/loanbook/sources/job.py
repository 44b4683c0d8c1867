"""The job ``ingest_tapes``: a loan tape in; loans, performance, terminations and quarantine out."""

import logging
import time
from collections.abc import Collection, Sequence
from datetime import date
from functools import partial
from typing import Any

from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.path_forms import local_path
from loanbook.quality.bounds import LoanChanges, assert_within_bounds
from loanbook.quality.tally import Tally
from loanbook.sources.canonical.check_mapping import assert_mapping
from loanbook.sources.canonical.frames import Keep, keeper
from loanbook.sources.canonical.loans import loan_changes
from loanbook.sources.canonical.lookups import assert_delivered
from loanbook.sources.landing.columns import columns_left_out
from loanbook.sources.landing.find_files import find_files
from loanbook.sources.landing.landing import Landed, by_tasks, landed_files
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.mapping_files import load_mapping
from loanbook.sources.publishing.accounts import accounted, assert_accepted, counted_loans, details
from loanbook.sources.publishing.deliveries import (
    Row,
    about_tape,
    deliveries_frame,
    delivery_rows,
    late_rows,
    reconciled,
    stored_rows,
)
from loanbook.sources.publishing.judge import Judged, balances, judge
from loanbook.sources.publishing.new_rows import new_rows
from loanbook.sources.publishing.order import by_age, parse_day
from loanbook.sources.publishing.publish import TABLES, publish
from loanbook.sources.publishing.replaced import Replaced, Scope
from loanbook.sources.publishing.replay import assert_every_line, replay_files, replayed_delivery
from loanbook.sources.publishing.stored import StoredTables
from loanbook.tables.columns import TERMINAL_STATES, of_source
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.superseded import SUPERSEDED
from loanbook.tables.terminations import TERMINATIONS
from loanbook.warehouse.runs import Run
from loanbook.warehouse.session import named

log = logging.getLogger(__name__)

COUNTS = ("loans", "loan_months", "lines", "rows", "published", "quarantined", "superseded", "set_aside")


def ingest_tapes(
    run: Run,
    *,
    tapes: Sequence[str],
    delivered_at: str | None,
    scope: Scope = "full",
    replay: str | None = None,
) -> dict[str, Any]:
    """Replace what the tapes deliver, after every line of them is accounted for.

    With scope ``full`` the files of a slice replace it, but for what deltas delivered since; with ``delta``
    their rows are added, and take the place of older rows of the same loan and month. Files older than the
    last full delivery of their slice are recorded and change nothing else.

    Args:
        run: the job's run.
        tapes: files and folders.
        delivered_at: day of delivery; by default from the files' names.
        scope: what an absent row means.
        replay: the delivery whose lines in quarantine come mended in ``tapes``; the scope is then ``delta``.

    Returns:
        Loans of the source; loan months, lines by fate, slices, first and last month of the delivery.

    Raises:
        InputError: the mapping or a file is not as required; nothing is published.
        GateRefused: too many lines were rejected, or one fails a check that halts; nothing is published.
    """
    mapping = load_mapping(TapeMapping, run.source)
    run.source = mapping.name
    day = parse_day(delivered_at)
    again = None
    if replay is None:
        found = find_files(tapes, mapping.files, every=scope == "full")  # before Spark starts
    else:
        run.hold(*TABLES)
        scope, again = "delta", _replayed(run, mapping, replay)
        found = replay_files(tapes, again)
        day = day or again["delivered_at"]
    assert_mapping(run.spark, mapping)
    folder = local_path(run.settings.paths.landing, "paths.landing") / run.run_id
    started = time.perf_counter()
    slice_ = None if again is None else again["slice"]
    with landed_files(mapping.name, found, folder, day, slice_, by_tasks(run.spark)) as files:
        seconds_landing = round(time.perf_counter() - started, 2)
        if again is not None:
            assert_every_line(files[0], again)
        elif scope == "full":
            assert_pairs(files)
        run.hold(*TABLES)  # what follows is made of what is stored
        stored = stored_rows(run.read_source(DELIVERIES, mapping.name))
        fresh, late = by_age(files, stored, scope)
        if late:
            log.warning(
                "older than the last full delivery of their slice, so recorded and nothing else: %s",
                ", ".join(file.name for file in late),
            )
        assert_delivered(fresh)
        replaced = Replaced.by(mapping.name, fresh, scope, stored)
        on_record = {row["delivery"] for row in stored}
        unseen = [file for file in late if file.delivery not in on_record]
        rows = late_rows(unseen, about_tape(mapping), scope, balances(run.spark, mapping, unseen))
        if fresh:
            outcome = _judged_and_published(
                run, mapping, fresh, replaced, stored, rows, keeper(folder), again
            )
        else:
            outcome = _recorded(run, mapping, late, [*rows, *stored])
        for name in COUNTS:
            run.count(name, outcome[name])
        return {
            **outcome,
            "late_files": [file.name for file in late],
            "columns_left_out": columns_left_out(files),
            "seconds_landing": seconds_landing,
        }


def _judged_and_published(
    run: Run,
    mapping: TapeMapping,
    files: Sequence[Landed],
    replaced: Replaced,
    stored: Sequence[Row],
    late: Sequence[Row],
    keep: Keep,
    again: Row | None,
) -> dict[str, Any]:
    judged = judge(run.spark, mapping, files, replaced, _stored_tables(run, mapping.name, stored), keep)
    accounts = accounted(judged)
    assert_accepted(judged, accounts, run.settings.ingest, whole=again is None)
    counted = accounts.counted
    _assert_month(run.as_of, counted.values(), stored)
    scope = "full" if replaced.slices else "delta"
    rows = delivery_rows(files, counted, about_tape(mapping), scope)
    assert_within_bounds(
        rows, stored, replaced.holds, run.settings.ingest.bounds, partial(_changes, run, judged)
    )
    run.evidence["files"] = reconciled([*rows, *late])
    replayed = None if again is None else again["delivery"]
    new = new_rows(judged, run.settings.default_definition, keep)
    publish(run, judged, accounts, new, [*rows, *late], stored, replayed)
    return {**counted_loans(judged, new.loans), **details(judged, accounts)}


def _replayed(run: Run, mapping: TapeMapping, delivery: str) -> Row:
    stored = stored_rows(run.read_source(DELIVERIES, mapping.name))
    return replayed_delivery(delivery, mapping, stored, run.read_source(QUARANTINE, mapping.name))


def _stored_tables(run: Run, source: str, stored: Sequence[Row]) -> StoredTables:
    any_superseded = any(row["superseded"] or row["set_aside"] for row in stored)
    return StoredTables(
        deliveries=run.read_source(DELIVERIES, source),
        loans=run.read_source(LOANS, source),
        performance=run.read_source(PERFORMANCE, source),
        terminations=run.read_source(TERMINATIONS, source),
        superseded=run.read_source(SUPERSEDED, source) if any_superseded else None,
    )


def _assert_month(as_of: date | None, delivered: Collection[Tally], stored: Sequence[Row]) -> None:
    """Check that the book will hold the month to work on, where one is named.

    Raises:
        InputError: it is after the last month, or before the first where nothing is stored.
    """
    first = min((tally.first_month for tally in delivered if tally.first_month), default=None)
    lasts = [tally.last_month for tally in delivered] + [row["last_complete_month"] for row in stored]
    last = max((month for month in lasts if month), default=None)
    is_late_enough = bool(stored) or (first is not None and as_of is not None and first <= as_of)
    if as_of is None or (is_late_enough and last is not None and as_of <= last):
        return
    raise InputError(
        required=f"--as-of with a month of the tapes, from {first} to {last}",
        found=str(as_of),
        do="name one of these months; nothing was published",
    )


def _changes(run: Run, judged: Judged, before: Sequence[str], after: Sequence[str]) -> LoanChanges:
    stored = run.read(PERFORMANCE, made_by="ingest-tapes").where(F.col("source") == judged.mapping.name)
    # A loan that left has no month after it; a delivery again is compared with what it replaces.
    stays = judged.replaced.expr() if set(before) == set(after) else ~F.col("state").isin(*TERMINAL_STATES)
    was = stored.where(F.col("slice").isin(*before) & stays)
    now = judged.published.where(F.col("slice").isin(*after) & F.col("is_new"))
    with named(run.spark, f"{run.job}: compare the loans with the last delivery's"):
        return loan_changes(was, now)


def _recorded(run: Run, mapping: TapeMapping, late: Sequence[Landed], rows: Sequence[Row]) -> dict[str, Any]:
    """Record files that are older than the last full delivery of their slice, and change nothing else.

    Args:
        run: the job's run.
        mapping: of the tape.
        late: the files.
        rows: of ``deliveries``, all of the source's.
    """
    names = {file.delivery for file in late}
    run.evidence["files"] = reconciled([row for row in rows if row["delivery"] in names])
    run.replace(DELIVERIES, deliveries_frame(run.spark, rows, run.run_id), of_source(mapping.name))
    lines = sum(file.lines for file in late)
    loans = run.read(LOANS, made_by="ingest-tapes").where(F.col("source") == mapping.name).count()
    none = dict.fromkeys(("loan_months", "published", "quarantined", "set_aside", "slices"), 0)
    return {
        "source": mapping.name, "loans": loans, **none, "lines": lines, "rows": lines, "superseded": lines,
        "first_month": None, "last_month": None, "rejected": {}, "flagged": {},
    }  # fmt: skip


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
