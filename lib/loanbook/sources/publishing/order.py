"""Which files of a delivery count: those that are not older than the last whole delivery of their slice."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from loanbook.errors import InputError
from loanbook.sources.landing.file_names import plausible_day
from loanbook.sources.landing.landing import Landed
from loanbook.sources.publishing.replaced import Scope, newest


def by_age(
    files: Sequence[Landed], stored: Sequence[Mapping[str, Any]], scope: Scope
) -> tuple[list[Landed], list[Landed]]:
    """Return the files to publish and those that come too late, after a newer full delivery of their slice.

    The files of a slice are replaced together, so that all of them are late or none; of two of one kind the
    older is. A delta that came after them does not make a full delivery late: its rows stay (see Replaced).
    A file delivered again keeps its later day.

    Raises:
        InputError: a file has no day of delivery, and its slice holds files that have one.
    """
    earlier = [row for row in stored if row["published"]]
    dated = newest((row["slice"], row["delivered_at"]) for row in earlier)
    full = newest((row["slice"], row["delivered_at"]) for row in earlier if row["scope"] == "full")
    together = newest((file.slice, file.delivered_at) for file in files)
    beside = newest(((file.spec.what, file.slice), file.delivered_at) for file in files)
    fresh: list[Landed] = []
    late: list[Landed] = []
    for file in files:
        twin, replaced_by = beside.get((file.spec.what, file.slice)), full.get(file.slice)
        known = twin or dated.get(file.slice)
        if known is not None and file.delivered_at is None:
            raise InputError(
                required=f"the day of delivery of {file.name}: slice {file.slice} was delivered on {known}",
                found="none, in its name or given",
                do="give --delivered-at YYYY-MM-DD, so that an older file cannot replace a newer one",
            )
        day = file.delivered_at if scope == "delta" else together.get(file.slice)
        is_late = day is not None and replaced_by is not None and day < replaced_by
        has_newer_twin = scope == "full" and file.delivered_at is not None and file.delivered_at != twin
        (late if is_late or has_newer_twin else fresh).append(file)
    return fresh, late


def parse_day(text: str | None) -> date | None:
    """Return the day that ``--delivered-at`` names, None where it is not given.

    Raises:
        InputError: it is no day, or one to come.
    """
    try:
        return None if text is None else plausible_day(date.fromisoformat(text), "--delivered-at")
    except ValueError as error:
        raise InputError(
            required="--delivered-at as YYYY-MM-DD", found=repr(text), do="write the day so"
        ) from error
