"""From which month on a version of a report is known: days of knowledge against each month's cut-off."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from loanbook.book.months import last_day, month_number


class Group(NamedTuple):
    """The versions of a month that came with one delivery and share their day of knowledge."""

    slice: str
    delivery: str
    as_of_date: date
    known_on: date

    @property
    def month(self) -> int:
        """Return the number of the month reported."""
        return month_number(self.as_of_date)

    def row(self) -> list[str]:
        """Return the group as texts."""
        return [str(part) for part in self]

    @classmethod
    def of(cls, row: Sequence[str]) -> "Group":
        """Return the group that ``row`` returned as texts."""
        return cls(row[0], row[1], *map(date.fromisoformat, row[2:]))


class Delivered(NamedTuple):
    """What the deliveries say of a source's versions.

    Args:
        full: by slice, the day of each dated delivery that replaced it whole.
        by_slice: whether slices hold cohorts, which stand side by side: each has its own cut-offs.
    """

    full: Mapping[str, Mapping[str, date]]
    by_slice: bool

    def known_on(self, group: Group) -> date:
        """Return the day from which a group counts as known.

        What a full delivery replaces is kept nowhere: its rows count as known since the first full delivery
        of their slice that was not before the month's end. Else a month delivered again would lack till then.
        """
        days = self.full.get(group.slice, {})
        if group.delivery not in days:
            return group.known_on
        return min([group.known_on, *(day for day in days.values() if day >= group.as_of_date)])


def entry_months(groups: Iterable[Group], delivered: Delivered, months: range) -> dict[Group, int]:
    """Return, for each group, the first month at whose cut-off it was known, not before its own.

    A month past the last one stands for never, up to that. The cut-off of a month is the later of its last
    day and the day on which it, or a later one, was first reported: then a run for it was possible.

    Args:
        groups: of versions.
        delivered: what the deliveries say of them.
        months: of the book, to the last one to write.
    """
    days = {group: delivered.known_on(group) for group in groups}
    by_slice: dict[str, dict[int, date]] = {}
    for group, day in days.items():
        reported = by_slice.setdefault(group.slice if delivered.by_slice else "", {})
        reported[group.month] = min(day, reported.get(group.month, day))
    ends = {name: cutoffs(reported, months) for name, reported in by_slice.items()}
    entries = [*months, months[-1] + 1]
    return {
        group: max(group.month, entries[bisect_left(ends[group.slice if delivered.by_slice else ""], day)])
        for group, day in days.items()
    }


def cutoffs(reported: Mapping[int, date], months: range) -> Sequence[date]:
    """Return the cut-off of each month; they never go back.

    >>> days = {24240: date(2020, 2, 5), 24242: date(2020, 4, 4), 24241: date(2020, 4, 9)}
    >>> [str(day) for day in cutoffs(days, range(24240, 24244))]
    ['2020-02-05', '2020-04-04', '2020-04-04', '2020-04-30']
    """
    later = date.max
    possible: dict[int, date] = {}
    for month in sorted({*months, *reported}, reverse=True):
        later = possible[month] = min(later, reported.get(month, later))
    ends: list[date] = []
    for month in months:
        known = possible[month] if possible[month] < date.max else last_day(month)
        ends.append(max(last_day(month), known, *ends[-1:]))
    return ends
