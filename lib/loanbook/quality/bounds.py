"""A new delivery's totals against the last one's: how far they may move before nothing is published."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loanbook.errors import GateRefused
from loanbook.settings.ingest import Bounds

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LoanChanges:
    """How the loans of two sets of slices differ.

    Args:
        before: loans in the first set.
        vanished: of these, those that are not in the second.
        new: loans in the second set alone.
    """

    before: int
    vanished: int
    new: int


Loans = Callable[[Sequence[str], Sequence[str]], LoanChanges]


def assert_within_bounds(
    new: Sequence[Row],
    stored: Sequence[Row],
    is_replaced: Callable[[Row], bool],
    bounds: Bounds,
    loans: Loans,
) -> None:
    """Check the published totals of performance files against the last ones.

    A slice that is delivered again is compared with the files that it replaces. A new month, where slices are
    months, is compared with the last month before it. A new cohort is compared with nothing.

    Args:
        new: rows of ``deliveries`` for the new files.
        stored: the same of the source's earlier files.
        is_replaced: whether an earlier file is replaced whole.
        bounds: least and greatest ratio (rows, UPB), difference (delinquent share) or share (loans new and
            vanished) that may pass.
        loans: called with the slices before and the slices now; returns which loans came and went.

    Raises:
        GateRefused: a total moved out of its bounds; the message names it with both values.
    """
    held = [row for row in stored if row["kind"] == "performance" and row["published"]]
    months = [row for row in new if row["kind"] == "performance"]
    replaced = [row for row in held if is_replaced(row)]
    slices = {row["slice"] for row in replaced}
    again = [row for row in months if row["slice"] in slices]
    for before, after in [(replaced, again), *_months_after(held, months)]:
        if before and after:
            _assert_moved_little(before, after, bounds, loans)


def _months_after(held: Sequence[Row], months: Sequence[Row]) -> Iterator[tuple[list[Row], list[Row]]]:
    """Yield each new month that follows a stored one, with the rows of that one before it."""
    known = {row["slice"] for row in held}
    new = [
        row
        for row in months
        if row["slice_holds"] == "months" and row["scope"] == "full" and row["slice"] not in known
    ]
    ends = sorted({row["last_complete_month"] for row in new if row["last_complete_month"]})
    for end in ends:
        earlier = [row for row in held if row["last_complete_month"] and row["last_complete_month"] < end]
        last = max((row["last_complete_month"] for row in earlier), default=None)
        if last is not None and not any(last < other < end for other in ends):
            before = [row for row in earlier if row["last_complete_month"] == last]
            yield before, [row for row in new if row["last_complete_month"] == end]


def _assert_moved_little(before: Sequence[Row], after: Sequence[Row], bounds: Bounds, loans: Loans) -> None:
    slices, last = ([*dict.fromkeys(row["slice"] for row in rows)] for rows in (after, before))
    old, now, changes = _totals(before), _totals(after), loans(last, slices)
    moved = {
        "rows": (now["rows"] / old["rows"], bounds.rows),
        "upb": (now["upb"] / old["upb"] if old["upb"] else 1.0, bounds.upb),
        "delinquent_share": (now["share"] - old["share"], bounds.delinquent_share),
        "new_loans": (changes.new / max(changes.before, 1), bounds.new_loans),
        "vanished_loans": (changes.vanished / max(changes.before, 1), bounds.vanished_loans),
    }
    outside = {name: value for name, (value, (low, high)) in moved.items() if not low <= value <= high}
    if outside:
        found = ", ".join(f"{name} {value:.3g}" for name, value in outside.items())
        limits = ", ".join(f"{name} {moved[name][1]}" for name in outside)
        compared = "the last delivery" if set(slices) == set(last) else f"slice {', '.join(sorted(last)[:5])}"
        raise GateRefused(
            required=f"totals of slices {', '.join(sorted(slices)[:5])} within {limits} of {compared} "
            "(ingest.bounds)",
            found=f"{found}; rows {old['rows']} before, {now['rows']} now; loans {changes.before} before, "
            f"{changes.vanished} of them gone, {changes.new} new",
            do="look at the tape; where it is right, widen ingest.bounds for this run with --set",
        )


def _totals(rows: Sequence[Row]) -> dict[str, float]:
    published = sum(row["published"] for row in rows)
    return {
        "rows": published,
        "upb": float(sum(row["upb"] or 0 for row in rows)),
        "share": sum(row["delinquent"] for row in rows) / published if published else 0.0,
    }
