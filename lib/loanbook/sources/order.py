"""Which files of a delivery count: those that are not older than what is published of their slice."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from loanbook.errors import InputError
from loanbook.sources.landing import Landed
from loanbook.sources.replaced import Scope


def by_age(
    files: Sequence[Landed], stored: Sequence[Mapping[str, Any]], scope: Scope
) -> tuple[list[Landed], list[Landed]]:
    """Return the files to publish and those that come too late, after a newer delivery of their slice.

    With scope ``delta`` all are published: each row is compared with the row of its month that is stored.

    Raises:
        InputError: a file has no day of delivery, and its slice holds files that have one.
    """
    newest: dict[tuple[str, str], date] = {}
    own = {file.delivery for file in files}
    # A row that has published something counts; the same file again is not later than itself.
    known_days = [
        ((row["kind"], row["slice"]), row["delivered_at"])
        for row in stored
        if row["published"] and row["delivery"] not in own
    ]
    for key, day in known_days + [((file.spec.what, file.slice), file.delivered_at) for file in files]:
        if day is not None:
            newest[key] = max(day, newest.get(key, day))
    fresh: list[Landed] = []
    late: list[Landed] = []
    for file in files:
        known = newest.get((file.spec.what, file.slice))
        if known is not None and file.delivered_at is None:
            raise InputError(
                required=f"the day of delivery of {file.name}: slice {file.slice} was delivered on {known}",
                found="none, in its name or given",
                do="give --delivered-at YYYY-MM-DD, so that an older file cannot replace a newer one",
            )
        is_late = (
            scope == "full"
            and known is not None
            and file.delivered_at is not None
            and file.delivered_at < known
        )
        (late if is_late else fresh).append(file)
    return fresh, late


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
