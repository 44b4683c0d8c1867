"""What ended loans' months at risk, as it was known in a month, from outcomes written by hand."""

from datetime import date
from typing import Any

import pytest
from pyspark.sql import functions as F

from loanbook.models.follow_up import DEFAULT, NEITHER, PREPAYMENT, as_known, followed, with_spell
from loanbook.models.heads import head

OUTCOMES = (
    "source string, loan_id string, at_risk_from date, event string, event_date date, last_observed_date date"
)
UNTIL = date(2021, 6, 30)


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def spell(loan: str, begins: str, event: str, ended: str, seen: str) -> tuple[Any, ...]:
    return ("s", loan, day(begins), event, day(ended), day(seen))


SPELLS = [
    spell("defaults", "2020-01-31", "default", "2021-03-31", "2021-02-28"),
    spell("cures", "2020-01-31", "default", "2020-06-30", "2020-05-31"),
    spell("cures", "2020-12-31", "prepaid", "2021-05-31", "2021-04-30"),
    spell("defaults later", "2020-01-31", "default", "2021-07-31", "2021-06-30"),
    spell("matures", "2020-01-31", "matured", "2021-06-30", "2021-05-31"),
    spell("removed", "2020-01-31", "removed", "2021-02-28", "2021-01-31"),
    spell("stays", "2020-01-31", "none", "", "2022-12-31"),
    spell("vanishes", "2020-01-31", "none", "", "2021-04-30"),
    spell("gap", "2020-01-31", "default", "2021-05-31", "2020-12-31"),
    spell("gap to later", "2020-01-31", "default", "2021-08-31", "2021-01-31"),
]
# loan, month: months at risk, event
EXPECTED = {
    ("defaults", "2020-12-31"): (3, DEFAULT),
    ("defaults", "2021-02-28"): (1, DEFAULT),
    ("cures", "2020-04-30"): (2, DEFAULT),
    ("cures", "2020-12-31"): (5, PREPAYMENT),
    ("defaults later", "2020-12-31"): (6, NEITHER),
    ("matures", "2020-12-31"): (6, PREPAYMENT),
    ("removed", "2020-12-31"): (1, NEITHER),
    ("stays", "2020-12-31"): (6, NEITHER),
    ("vanishes", "2020-12-31"): (4, NEITHER),
    ("gap", "2020-12-31"): (5, DEFAULT),
    ("gap to later", "2020-12-31"): (1, NEITHER),
    ("no outcome", "2020-12-31"): (0, NEITHER),
}


def known(spark: Any, spells: list[tuple[Any, ...]], until: date = UNTIL) -> dict[Any, Any]:
    rows = spark.createDataFrame(
        [("s", loan, day(month), "part_0") for loan, month in EXPECTED],
        "source string, loan_id string, as_of_date date, role string",
    )
    found = as_known(with_spell(rows, spark.createDataFrame(spells, OUTCOMES)), F.lit(until))
    assert found.count() == len(EXPECTED)
    return {(row["loan_id"], str(row["as_of_date"])): row for row in found.collect()}


def test_months_and_events_are_those_known_at_the_cut_off(spark: Any) -> None:
    found = known(spark, SPELLS)
    assert {key: (row["months"], row["event"]) for key, row in found.items()} == EXPECTED
    with_event = {loan for (loan, _), row in found.items() if row["has_event"]}
    assert with_event == {"defaults", "cures", "matures", "gap"}


def test_what_happens_after_the_cut_off_changes_nothing(spark: Any) -> None:
    """The tape goes on, and every loan that was still there defaults, prepays or is removed."""
    later = [(event, day("2021-07-31"), UNTIL) for event in ("default", "prepaid", "removed", "none")]
    for event, ended, seen in later:
        changed = [
            (*one[:3], event, ended if event != "none" else None, seen)
            if one[1] in ("defaults later", "stays")
            else one
            for one in SPELLS
        ]
        found = known(spark, changed)
        assert {key: (row["months"], row["event"]) for key, row in found.items()} == EXPECTED, event


@pytest.mark.parametrize(("least", "longest"), [(1, 6), (3, 6), (5, 5), (30, 0)])
def test_the_longest_that_enough_loans_were_followed(spark: Any, least: int, longest: int) -> None:
    rows = spark.createDataFrame(
        [
            ("s", loan, months, event)
            for (loan, month), (months, event) in EXPECTED.items()
            if loan != "cures" or month == "2020-12-31"
        ],
        "source string, loan_id string, months int, event int",
    )
    found = followed(rows, least)
    assert found is not None
    assert found.longest == longest
    assert (found.loan_months, found.prepaid) == (3 + 1 + 5 + 6 + 6 + 1 + 6 + 4 + 5 + 1, 2)
    assert followed(rows.limit(0), least) is None
    nothing = head("term_structure").measured(rows.limit(0), 3, least)
    assert nothing == {"period_months": 3, "followed_months": 0}  # a curve of 12 months, which says so
