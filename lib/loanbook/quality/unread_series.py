"""Series of the economy that arrive and that no feature reads."""

from collections.abc import Iterable

from loanbook.tables.macro import SERIES


def unread_series(series: Iterable[str]) -> list[str]:
    """Return the names of series that no feature reads, in order.

    >>> unread_series(["hpi", "payrolls", "unemployment_rate", "payrolls"])
    ['payrolls', 'unemployment_rate']
    """
    return sorted({*series} - {*SERIES})
