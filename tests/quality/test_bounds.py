"""The whole tape against the last one."""

from typing import Any

import pytest

from loanbook.errors import GateRefused
from loanbook.quality.bounds import Bounds, assert_within_bounds


def row(
    slice_: str, published: int, upb: int, delinquent: int = 0, kind: str = "performance"
) -> dict[str, Any]:
    return {"slice": slice_, "published": published, "upb": upb, "delinquent": delinquent, "kind": kind}


def test_only_files_that_replace_others_are_compared():
    stored = [row("a", 100, 1000), row("b", 100, 1000), row("a", 9, 0, kind="loans")]
    new = [row("a", 100, 1100, 9), row("new", 1, 1)]
    assert_within_bounds(new, stored, lambda item: item["slice"] == "a", Bounds())
    assert_within_bounds([row("new", 1, 1)], stored, lambda _: False, Bounds())
    assert_within_bounds(new, [row("a", 0, 0)], lambda _: True, Bounds())  # it published nothing


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
        assert_within_bounds([new], [row("a", 100, 1000)], lambda _: True, Bounds())
