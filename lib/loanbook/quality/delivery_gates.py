"""The gates of a delivery: what may be rejected, and how much, before nothing of it is published."""

from collections.abc import Callable, Mapping, Sequence

from loanbook.errors import GateRefused, InputError
from loanbook.quality.tally import Tally


def assert_layout(file: str, required: str, delimiter: str, tally: Tally) -> None:
    """Check that at least one line of a file has as many fields as its layout asks for.

    Args:
        file: its name.
        required: the numbers of fields that a layout has, in words.
        delimiter: between them.
        tally: of its lines.

    Raises:
        InputError: none has.

    >>> assert_layout("feed.csv", "32", "|", Tally(published=2, quarantined=1, wrong_layout=1))
    """
    if tally.wrong_layout == tally.rows:
        raise InputError(
            required=f"{required} fields divided by {delimiter!r} in {file}",
            found=f"wrong layout: up to {tally.found_fields} fields in each of its {tally.rows} lines",
            do="name the source that this file belongs to, or correct its mapping",
        )


def assert_no_halt(deliveries: Mapping[str, Tally]) -> None:
    """Check that no line fails a check of severity ``halt``.

    Args:
        deliveries: tally by delivery.

    Raises:
        GateRefused: one does; the message names the checks with their counts.
    """
    for delivery, tally in deliveries.items():
        if tally.halts:
            raise GateRefused(
                required=f"no line of {delivery} that fails a check of severity halt",
                found=f"{tally.halted} that fail {', '.join(tally.halts)}",
                do="mend the file, or lower the check's severity in the mapping; nothing was published",
            )


def assert_few_rejected(
    deliveries: Mapping[str, Tally], limit: float, reasons: Callable[[str], Sequence[tuple[str, int]]]
) -> None:
    """Check that no delivery has more than ``limit`` of its lines in quarantine.

    Args:
        deliveries: tally by delivery.
        limit: the share of its lines, 0 to 1; exactly this share passes.
        reasons: gives a delivery's reasons with their counts, the most frequent first; called only to refuse.

    Raises:
        GateRefused: one has; the message names the most frequent reasons.

    >>> few = {"feed.csv:0a": Tally(published=99, quarantined=1)}
    >>> assert_few_rejected(few, 0.01, lambda delivery: [])
    >>> try:
    ...     assert_few_rejected(few, 0.005, lambda delivery: [("future_month", 1)])
    ... except GateRefused as error:
    ...     print(error.found)
    1 of 100 in feed.csv:0a; most often future_month (1)
    """
    for delivery, tally in deliveries.items():
        if tally.quarantined > limit * tally.rows:
            shown = ", ".join(f"{name} ({count})" for name, count in reasons(delivery)[:3])
            raise GateRefused(
                required=f"at most {limit:.0%} of a delivery's lines rejected (ingest.max_quarantined_share)",
                found=f"{tally.quarantined} of {tally.rows} in {delivery}; most often {shown}",
                do="mend the file or its mapping; nothing was published",
            )


def assert_few_repeated(deliveries: Mapping[str, Tally], limit: float) -> None:
    """Check that no delivery has more than ``limit`` of its rows superseded by others of the same run.

    A few are duplicates. Many mean that the key or the month is misread: days and months swapped in a date
    put the rows of a year into one month, where all but the last would be superseded.

    Raises:
        GateRefused: one has.

    >>> assert_few_repeated({"feed.csv:0a": Tally(published=99, superseded=1, repeated=1)}, 0.01)
    """
    for delivery, tally in deliveries.items():
        if tally.repeated > limit * tally.rows:
            raise GateRefused(
                required=f"at most {limit:.0%} of a delivery's rows with the loan and month of another "
                "(ingest.max_repeated_share)",
                found=f"{tally.repeated} of {tally.rows} in {delivery}",
                do="look at its identifiers and the format of its dates; nothing was published",
            )
