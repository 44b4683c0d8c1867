"""Attributes of the tape that change with the month, beside those of the loan's terms."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from loanbook.features.engine.tape_inputs import OwnInputs, entries_of
from tests.features.books import START, BookLoan, Rows, loans_of, performance_of, plan_of
from tests.features.partitions import STAMP, features_of, partition_of

NUMERIC = pa.map_(pa.string(), pa.float64())


def own_of(reports: list[list[tuple[str, float]]], saved: list[list[tuple[str, float]]]) -> OwnInputs:
    months, loans = np.array([7, 6, 7]), np.array([0, 1, 1])
    columns = [entries_of(pa.array(maps, NUMERIC)) for maps in (reports, saved)]
    return OwnInputs(3, columns[0], months, loans, columns[1], np.arange(len(saved)))


def test_the_last_known_value_stays_beside_the_terms() -> None:
    own = own_of([[("x", 1.5)], [("y", 2.5)], [("x", 3.5)]], [[("x", -1.0), ("z", -2.0)]])
    every = np.arange(3)
    terms = pa.array([[("a", 9.0), ("y", 8.0)], [("y", 7.0), ("a", None)], None], NUMERIC)
    assert own.known(every).to_pylist() == [[("x", -1.0), ("z", -2.0)], [], []]
    own.advance(6)
    assert own.known(every, terms).to_pylist() == [
        [("a", 9.0), ("y", 8.0), ("x", -1.0), ("z", -2.0)], [("a", None), ("y", 2.5)], None,
    ]  # fmt: skip
    own.advance(7)
    assert own.known(np.array([1, 0])).to_pylist() == [
        [("x", 3.5), ("y", 2.5)], [("x", 1.5), ("z", -2.0)],
    ]  # fmt: skip


def test_nothing_reported_leaves_the_terms_as_they_are() -> None:
    own = own_of([[], [], []], [])
    terms = pa.array([[("a", 9.0)], [], None], NUMERIC)
    own.advance(7)
    assert own.known(np.arange(3), terms).to_pylist() == terms.to_pylist()
    assert own.known(np.arange(0)).to_pylist() == []


@pytest.mark.parametrize("barred", [False, True])
def test_an_attribute_is_carried_with_a_stale_row_and_only_an_input_is_known(barred: bool) -> None:
    terms = {"numeric_attributes": {"income": 5.0}, "attribute_roles": {"income": "input"}}
    book = [BookLoan("a", 0, ("current", "current", None, "current"), terms), BookLoan("b", 0, ("current",))]
    performance: Rows = performance_of(book)
    rows = features_of(
        partition_of(performance, loans_of(book), plan_of(START + 3)), stamp=replace(STAMP, barred=barred)
    )
    of_a = [row for row in rows if row["loan_id"] == "a"]
    scores = [] if barred else [600.5, 593.5, 593.5, 579.5]
    assert [row["numeric_inputs"] for row in of_a] == [
        {"income": 5.0, **({"score": scores[k]} if scores else {})} for k in range(4)
    ]
    assert {name for row in rows for name in row["numeric_inputs"] or ()} <= {"income", "score"}
    assert [row["categorical_inputs"] for row in of_a] == (
        [None] * 4 if barred else [None, None, None, {"band": "A"}]
    )
