"""A source's performance as the jobs of features and labels read it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from loanbook.book.months import last_day, month_number
from loanbook.book.periods import period_ends, period_of, require_one_phase
from loanbook.book.tape_kind import Outcome, declared_outcome
from loanbook.errors import InputError
from loanbook.settings.book import BookSettings
from loanbook.tables.deliveries import DELIVERIES
from loanbook.warehouse.changes import LastRun

log = logging.getLogger(__name__)

RECORD = "tape"  # in the details of the run's row
DELIVERED = ("source", "slice", *DELIVERIES.read_by("features"))


@dataclass(frozen=True)
class Since:
    """What a job's last run of the source left, and what has changed since.

    Args:
        run: the last run.
        inputs: version of each table that what it left is made from.
        found: first month, months of a period and default definition of the performance then.
        months: those of performance that were written since; None where the log no longer tells.
    """

    run: LastRun
    inputs: dict[str, int]
    found: dict[str, Any]
    months: set[date] | None


@dataclass(frozen=True)
class Tape:
    """One source's performance; months are numbers (see months.py), ``last_month`` the last complete one.

    ``cohorts`` says whether its slices are some loans with all their months, which stand side by side;
    ``outcome`` is the tape's own, where it declares one; ``since`` is None where the job has not run for the
    source.
    """

    source: str
    performance: DataFrame
    first_month: int
    last_month: int
    period_months: int
    rebuilt: bool
    case_control: bool
    cohorts: bool = True
    outcome: Outcome | None = None
    since: Since | None = None

    @property
    def months(self) -> range:
        """Return the months of the source's book."""
        return period_ends(self.first_month, self.last_month, self.period_months)

    @property
    def has_applications(self) -> bool:
        """Return whether the tape says once for each loan what became of it."""
        return self.outcome is not None and self.outcome.is_of_applications

    def stale_months(self, book: BookSettings) -> int:
        """Return for how many months without a report a loan stays in the book.

        A loan of an application file is in the book of its reported months only: none stands for a later one.
        """
        return 0 if self.has_applications else book.stale_months

    def record(self, inputs: Mapping[str, int], definition: str) -> dict[str, Any]:
        """Return what the job's next run starts from, for the details of the run's row."""
        found = {
            "first_month": str(last_day(self.first_month)),
            "period_months": self.period_months,
            "definition": definition,
        }
        return {"inputs": dict(inputs), "found": found}


class End(NamedTuple):
    """Where the months of a file of performance end."""

    slice: str
    slice_holds: str
    month: date
    is_open: bool


def last_complete_month(ends: Sequence[End]) -> date | None:
    """Return the last month that every slice of a source has reached, None without slices.

    Slices of months follow each other: the latest. Slices of cohorts stand side by side: the earliest end,
    but a slice whose loans have all left by then waits for nothing. Slices that lag are named in the log.

    >>> last_complete_month([
    ...     End("2007Q1", "cohorts", date(2020, 1, 31), True),
    ...     End("2007Q2", "cohorts", date(2020, 3, 31), True),
    ...     End("2007Q1", "cohorts", date(2020, 1, 31), False),
    ...     End("1999Q1", "cohorts", date(2009, 5, 31), False),
    ... ])
    datetime.date(2020, 1, 31)
    """
    latest = max((end.month for end in ends), default=None)
    by_slice = {end.slice: end for end in sorted(ends, key=lambda end: (end.month, end.is_open))}
    open_ends = [end for end in by_slice.values() if end.slice_holds == "cohorts" and end.is_open]
    if latest is None or not open_ends:
        return latest
    complete = min(end.month for end in open_ends)
    if complete < latest:
        lagging = sorted(end.slice for end in open_ends if end.month < latest)
        log.warning(
            "the last complete month is %s, not %s: slices that end earlier, with live loans: %s",
            complete, latest, ", ".join(lagging[:5]) + (" ..." if len(lagging) > 5 else ""),
        )  # fmt: skip
    return complete


def sources_of(deliveries: Sequence[Row]) -> list[str]:
    """Return the sources of which performance was delivered."""
    return sorted({row["source"] for row in deliveries if row["kind"] == "performance"})


def tape_of(
    source: str,
    deliveries: Sequence[Row],
    performance: DataFrame,
    since: Since | None,
    definition: str,
) -> Tape:
    """Return the performance of a source, with the months that its deliveries complete.

    Args:
        source: its name.
        deliveries: rows with the columns of ``DELIVERED``, of whatever source.
        performance: the source's.
        since: what the job's last run left, None where it has not run for the source.
        definition: id of the default definition in force.

    Raises:
        InputError: no complete month, or rows of another default definition.
    """
    delivered = [
        row for row in deliveries if row["source"] == source and row["last_complete_month"] is not None
    ]
    outcome = declared_outcome(source, {row["outcome"] for row in delivered if row["outcome"]})
    period_months = max((row["period_months"] for row in delivered), default=1)
    found = _found(performance, since, period_months)
    first = min(found.rows, default=None)
    ends = [
        End(
            row["slice"],
            row["slice_holds"],
            row["last_complete_month"],
            # No later month of an application follows.
            row["is_open"] and not (outcome is not None and outcome.is_of_applications),
        )
        for row in delivered
    ]
    complete = last_complete_month(ends)
    if complete is None or first is None or month_number(complete) < first:
        begins = None if first is None else last_day(first)
        raise InputError(
            required=f"a complete reporting month of {source} in deliveries",
            found=f"last complete month {complete}, first reported month {begins}",
            do="ingest the tape's months, then run again",
        )
    _require_definition(sorted(found.definitions), definition)
    _require_rhythm(source, found, period_months)
    return Tape(
        source=source,
        performance=performance,
        first_month=first,
        last_month=month_number(complete),
        period_months=period_months,
        rebuilt=any(row["history"] == "rebuilt" for row in delivered),
        case_control=any(row["sampling"] == "case_control" for row in delivered),
        cohorts=any(row["slice_holds"] == "cohorts" for row in delivered),
        outcome=outcome,
        since=since,
    )


class _Found(NamedTuple):
    """Rows of performance by month, their default definitions, and a month that was found to end a period."""

    rows: dict[int, int]
    definitions: set[str]
    end: int | None = None


def _found(performance: DataFrame, since: Since | None, period_months: int) -> _Found:
    """Return what the rows hold; of months that have not changed since the last run, only the first one."""
    months = None if since is None else since.months
    if since is None or months is None or since.found.get("period_months") != period_months:
        return _scanned(performance)
    first = date.fromisoformat(since.found["first_month"])
    if first in months:
        return _scanned(performance)
    begin, definitions = month_number(first), {since.found["definition"]}
    if not months:
        return _Found({begin: 1}, definitions, begin)
    changed = _scanned(performance.where(F.col("as_of_date").isin(*months)))
    return _Found({begin: 1, **changed.rows}, definitions | changed.definitions, begin)


def _scanned(performance: DataFrame) -> _Found:
    counted = performance.groupBy("as_of_date").agg(
        F.count(F.lit(1)).alias("rows"), F.collect_set("default_definition_id").alias("definitions")
    )
    found = _Found({}, set())
    for row in counted.collect():
        found.rows[month_number(row["as_of_date"])] = row["rows"]
        found.definitions.update(row["definitions"])
    return found


def _require_rhythm(source: str, found: _Found, period_months: int) -> None:
    """Refuse reports between two ends of periods; say where the mapping's period is too short."""
    require_one_phase(source, found.rows, period_months, found.end)
    longer = period_of(found.rows.keys())
    if found.end is None and len(found.rows) > 2 and longer > period_months:
        log.warning(
            "%s reports every %d months, its mapping says period_months: %d: loans are carried in between",
            source, longer, period_months,
        )  # fmt: skip


def _require_definition(found: list[str], wanted: str) -> None:
    if found != [wanted]:
        raise InputError(
            required=f"performance whose default status follows the settings' default definition {wanted}",
            found=f"definition {', '.join(sorted(found))}",
            do="set default_definition as it was when the tape was ingested, or ingest the tape again",
        )
