"""The calendar of a source's book: its months are the ends of the periods that its tape reports."""

from collections import Counter
from collections.abc import Mapping, Set
from math import gcd

from loanbook.book.months import last_day
from loanbook.errors import InputError


def period_ends(first: int, last: int, period_months: int) -> range:
    """Return the months of the book from ``first`` to ``last``: whole periods before the last.

    A tape of quarters has a book of quarters, which end in the months that it reports; there is no row for
    the months in between, which it cannot report.

    Args:
        first: number of the first month that the book may have.
        last: of the last one, which ends a period.
        period_months: months between two reports.

    >>> list(period_ends(1, 10, 3)), list(period_ends(9, 10, 3)), list(period_ends(8, 10, 1))
    ([1, 4, 7, 10], [10], [8, 9, 10])
    """
    return range(last - (last - first) // period_months * period_months, last + 1, period_months)


def period_of(months: Set[int]) -> int:
    """Return how many months lie between two reports: 12, 6 or 3 where every gap is a multiple of it, else 1.

    >>> period_of({2, 5, 11}), period_of({2, 5, 7}), period_of({0, 24})
    (3, 1, 12)
    >>> period_of({7})  # one month tells nothing: taken as monthly
    1
    """
    apart = gcd(*(month - min(months) for month in months))
    return next((period for period in (12, 6, 3) if apart and apart % period == 0), 1)


def nearest_ends(month: int, ends: range) -> list[int]:
    """Return the last of ``ends`` before a month and the first after it, each where there is one.

    >>> nearest_ends(6, range(2, 12, 3)), nearest_ends(1, range(2, 12, 3)), nearest_ends(99, range(2, 12, 3))
    ([5, 8], [2], [11])
    """
    before = [end for end in ends if end < month]
    after = [end for end in ends if end > month]
    return [*before[-1:], *after[:1]]


def strays(rows: Mapping[int, int], period_months: int, end: int | None = None) -> dict[int, int]:
    """Return the months that do not end a period, with their rows.

    Args:
        rows: number of rows of each month.
        period_months: months between two reports.
        end: a month that ends a period; None: the periods end as those of most rows do.

    >>> strays({2: 100, 5: 99, 6: 1, 8: 98}, 3)
    {6: 1}
    >>> strays({2: 1, 6: 9}, 3, end=2)
    {6: 9}
    >>> strays({2: 1, 3: 1}, 1)
    {}
    """
    phases: Counter[int] = Counter()
    for month, count in rows.items():
        phases[month % period_months] += count
    usual = max(phases, key=lambda phase: (phases[phase], phase), default=0)
    phase = usual if end is None else end % period_months
    return {month: count for month, count in sorted(rows.items()) if month % period_months != phase}


def require_one_phase(
    source: str, rows: Mapping[int, int], period_months: int, end: int | None = None
) -> None:
    """Check that a source's reported months, each with its rows, are whole periods apart.

    Args:
        source: whose months they are.
        rows: number of rows of each month.
        period_months: months between two reports.
        end: a month that ends a period; None: the periods end as those of most rows do.

    Raises:
        InputError: some are not; names them, as the book has no such months.
    """
    apart = strays(rows, period_months, end)
    if apart:
        named = [f"{last_day(month)} ({count} rows)" for month, count in apart.items()]
        known = last_day(max(rows.keys() - apart.keys()))
        raise InputError(
            required=f"reports of {source} {period_months} months apart, as {known} and most others are",
            found=", ".join(named[:5]) + (f" and {len(named) - 5} more months" if len(named) > 5 else ""),
            do="map as_of_date to the period's last month or reject such lines by a check, and ingest again; "
            "or, of a monthly tape, set period_months: 1",
        )
