"""Series of the economy that arrive and that no feature reads."""

from collections.abc import Iterable

from loanbook.tables.macro import SERIES


def unread_series(series: Iterable[str]) -> list[str]:
    """Return the names of series that no feature reads, in order.

    >>> unread_series(["hpi", "payrolls", "payrolls"])
    ['payrolls']
    >>> unread_series(["unemployment_rate"])  # the catalogue calls it unemployment
    ['unemployment_rate']
    """
    return sorted({*series} - {*SERIES})
