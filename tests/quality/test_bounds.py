"""The whole tape against the last one."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from loanbook.errors import GateRefused
from loanbook.quality.bounds import LoanChanges, assert_within_bounds
from loanbook.settings.ingest import Bounds
from loanbook.sources.canonical.loans import loan_changes


def row(
    slice_: str, published: int, upb: int, delinquent: int = 0, kind: str = "performance", month: int = 0
) -> dict[str, Any]:
    return {
        "slice": slice_, "published": published, "upb": upb, "delinquent": delinquent, "kind": kind,
        "slice_holds": "months" if month else "cohorts", "scope": "full",
        "last_complete_month": date(2020, month, 28) if month else None,
    }  # fmt: skip


def same(*_: Sequence[str]) -> LoanChanges:
    return LoanChanges(before=10, vanished=0, new=0)


def test_only_files_that_replace_others_are_compared():
    stored = [row("a", 100, 1000), row("b", 100, 1000), row("a", 9, 0, kind="loans")]
    new = [row("a", 100, 1100, 9), row("new", 1, 1)]
    assert_within_bounds(new, stored, lambda item: item["slice"] == "a", Bounds(), same)
    assert_within_bounds([row("new", 1, 1)], stored, lambda _: False, Bounds(), same)
    assert_within_bounds(new, [row("a", 0, 0)], lambda _: True, Bounds(), same)  # it published nothing


def test_bounds_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="the least comes first"):
        Bounds(rows=(3, 0.5))


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (row("a", 40, 1000), "rows 0.4"),
        (row("a", 100, 9000), "upb 9"),
        (row("a", 100, 1000, 30), "delinquent_share 0.3"),
    ],
)
def test_a_total_out_of_its_bounds_is_named_with_both_values(new, words):
    with pytest.raises(GateRefused, match=words):
        assert_within_bounds([new], [row("a", 100, 1000)], lambda _: True, Bounds(), same)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (LoanChanges(before=10, vanished=2, new=0), "vanished_loans 0.2.*10 before, 2 of them gone"),
        (LoanChanges(before=10, vanished=0, new=11), "new_loans 1.1.*11 new"),
    ],
)
def test_loans_that_came_or_went_beyond_their_bounds_are_counted(changes, words):
    with pytest.raises(GateRefused, match=words):
        assert_within_bounds(
            [row("a", 100, 1000)], [row("a", 100, 1000)], lambda _: True, Bounds(), lambda *_: changes
        )


def test_a_new_month_is_compared_with_the_stored_month_before_it():
    stored = [row("jan", 100, 1000, month=1), row("mar", 10, 100, month=3)]
    compared = []

    def loans(before: Sequence[str], after: Sequence[str]) -> LoanChanges:
        compared.append((*before, *after))
        return same()

    assert_within_bounds([row("feb", 90, 900, month=2)], stored, lambda _: False, Bounds(), loans)
    short = [row("apr", 10, 100, month=4), row("may", 1, 1, month=5)]  # may is beside april in one delivery
    assert_within_bounds(short, stored, lambda _: False, Bounds(), loans)
    assert compared == [("jan", "feb"), ("mar", "apr")]
    with pytest.raises(GateRefused, match=r"(?s)slices feb within rows .* of slice jan.*rows 0\.2"):
        assert_within_bounds([row("feb", 20, 900, month=2)], stored, lambda _: False, Bounds(), same)
    delta = [{**row("feb", 1, 1, month=2), "scope": "delta"}]
    assert_within_bounds(delta, stored, lambda _: False, Bounds(), same)


def test_loans_are_compared_once_each(spark):
    before = spark.createDataFrame([("A",), ("A",), ("B",)], "loan_id STRING")
    after = spark.createDataFrame([("B",), ("C",), ("D",), ("D",)], "loan_id STRING")
    assert loan_changes(before, after) == LoanChanges(before=2, vanished=1, new=2)
