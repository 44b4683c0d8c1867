"""The gates of scores: what they must be before any is published."""

from collections.abc import Mapping, Sequence
from typing import Any

from loanbook.errors import GateRefused
from loanbook.scoring.book import Measured


def assert_whole_book(book: Measured, table: Sequence[Mapping[str, Any]]) -> None:
    """Refuse scores that are not exactly the book.

    Args:
        book: what it holds.
        table: of the scores, by state.

    Raises:
        GateRefused: loans or unpaid balance differ.
    """
    found = (sum(row["loans"] for row in table), sum(row["upb"] for row in table))
    if found != (book.loans, book.upb):
        raise GateRefused(
            required=f"a score for each of the {book.loans} loans in the book, UPB {book.upb}",
            found=f"{found[0]} scores, UPB {found[1]}",
            do="run build-features again; if it stays, the book holds a loan twice",
        )


def assert_probabilities(table: Sequence[Mapping[str, Any]]) -> None:
    """Refuse scores of which one is no probability.

    Args:
        table: of the scores, by state, with how many are ``impossible``.

    Raises:
        GateRefused: one is not a number, or is below 0 or above 1.

    >>> assert_probabilities([{"state": "current", "impossible": 0}])
    """
    if impossible := {row["state"]: row["impossible"] for row in table if row["impossible"]}:
        where = ", ".join(f"{count} {state or 'unknown'}" for state, count in impossible.items())
        raise GateRefused(
            required="PDs from 0 to 1",
            found=f"loans with others, or with none that is a number: {where}",
            do="score with another version of the model (--model-version), and train this one again",
        )
