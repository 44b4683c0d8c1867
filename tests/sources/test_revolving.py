"""Statements and limits of revolving accounts: read month by month, and kept through corrections."""

from copy import deepcopy
from decimal import Decimal

import pytest

from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.superseded import SUPERSEDED
from tests.sources.tapes import MONTHLY_FEED, write_feed, write_mapping

LENIENT = ("ingest.max_quarantined_share=0.5",)


@pytest.fixture
def cards(tmp_path):
    """Return the mapping of a monthly feed of cards: days past due, balance, bill and limit."""
    changes = deepcopy({name: MONTHLY_FEED[name] for name in ("files", "performance")})
    changes["files"][0]["fields"] |= {"bill": "money", "limit": "money"}
    changes["performance"]["columns"] |= {"statement": "bill", "credit_limit": "limit"}
    return write_mapping(tmp_path / "cards.yaml", product="card", **changes)


def write_month(folder, period, *lines):
    folder.mkdir(exist_ok=True)
    path = folder / f"feed_{period}.csv"
    path.write_text("id,month,days,balance,bill,limit\n" + "".join(f"{line}\n" for line in lines))
    return path


def billed(found):
    return [(row["loan_id"], row["statement"], row["credit_limit"]) for row in found]


def test_a_month_has_its_statement_and_limit_and_a_negative_limit_is_rejected(cards, ingest, rows, tmp_path):
    tape = write_month(
        tmp_path, "202001",
        "a,202001,0,90,95.25,500", "b,202001,0,0,-12.50,0", "c,202001,0,9,9,", "d,202001,0,9,9,-0.01",
    )  # fmt: skip
    result = ingest(cards, tape, settings=LENIENT)
    assert (result["published"], result["quarantined"]) == (3, 1)
    assert billed(rows(PERFORMANCE)) == [
        ("a", Decimal("95.25"), 500), ("b", Decimal("-12.50"), 0), ("c", 9, None),
    ]  # fmt: skip
    assert [(row["line"], row["reasons"]) for row in rows(QUARANTINE)] == [(5, ["limit_not_negative"])]


def test_a_statement_set_aside_comes_back_as_it_was(cards, ingest, rows, tmp_path):
    ingest(cards, write_month(tmp_path, "202002", "a,202002,0,80,70,600"))
    ingest(cards, write_month(tmp_path, "202001", "a,202001,-1,0,60,500"))
    assert billed(rows(PERFORMANCE)) == [("a", 60, 500)]
    assert billed(rows(SUPERSEDED)) == [("a", 70, 600)]
    ingest(cards, write_month(tmp_path / "mended", "202001", "a,202001,0,90,65,550"))
    assert billed(rows(PERFORMANCE)) == [("a", 65, 550), ("a", 70, 600)]


def test_both_are_null_where_a_mapping_has_no_word_of_them(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "feed.yaml")
    ingest(source, write_feed(tmp_path, "202001", [("a", "202001", 0)]))
    assert billed(rows(PERFORMANCE)) == [("a", None, None)]
