"""What the name of a tape's file says: its slice, and the day of its delivery."""

import re
from datetime import UTC, date, datetime, timedelta

from loanbook.errors import InputError
from loanbook.sources.mapping.file_spec import FileSpec

EARLIEST_DELIVERY = date(1970, 1, 1)
EVERY_SLICE = "all"  # the slice of a file whose name shows none; a lookup of it is joined to every line


def slice_of(name: str, spec: FileSpec) -> str:
    r"""Return the slice that a file delivers: the group of ``spec.slice`` in its name, else ``all``.

    Raises:
        InputError: the name does not show it.

    >>> spec = FileSpec(kind="performance", pattern=".*", slice=r"_(\d{6})\.", fields={"id": "text"})
    >>> slice_of("feed_202401.csv", spec)
    '202401'
    """
    return EVERY_SLICE if spec.slice is None else _group(spec.slice, name, "slice")


def delivered_at_of(name: str, spec: FileSpec) -> date | None:
    r"""Return the day of delivery that a file's name shows, or None where the spec has no pattern for it.

    Raises:
        InputError: the name does not show it, or shows one to come.

    >>> spec = FileSpec(kind="loans", pattern=".*", delivered_at=r"_(\d{8})\.", fields={"id": "text"})
    >>> delivered_at_of("loans_20240203.csv", spec)
    datetime.date(2024, 2, 3)
    """
    if spec.delivered_at is None:
        return None
    text = _group(spec.delivered_at, name, "day of delivery")
    try:
        return plausible_day(datetime.strptime(text, "%Y%m%d").date(), f"the name {name!r}")
    except ValueError as error:
        raise InputError(
            required=f"a day YYYYMMDD in the name {name!r}", found=repr(text), do="rename the file"
        ) from error


def plausible_day(day: date, where: str) -> date:
    """Return a day of delivery, once it is found to be neither ahead nor before any tape.

    A day ahead would outrank every delivery until then.

    Raises:
        InputError: it is after tomorrow in UTC (somewhere it is tomorrow by now), or before 1970.

    >>> plausible_day(date(2024, 2, 3), "--delivered-at")
    datetime.date(2024, 2, 3)
    """
    if EARLIEST_DELIVERY <= day <= datetime.now(UTC).date() + timedelta(days=1):
        return day
    raise InputError(
        required=f"a day of delivery from {EARLIEST_DELIVERY} to today in {where}",
        found=str(day),
        do="correct the day",
    )


def _group(pattern: str, name: str, what: str) -> str:
    match = re.search(pattern, name)
    if match is None or not match.groups():
        raise InputError(
            required=f"a {what} in the file's name, as the group of {pattern!r}",
            found=repr(name),
            do="rename the file or correct the mapping",
        )
    return match.group(1)
