"""Which delivery wins, what comes again mended, and what a failed check leads to."""

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loanbook.errors import GateRefused, InputError
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from tests.sources.tapes import (
    MONTHLY_FEED,
    SMALL_BOOK,
    assert_reconciled,
    write_book,
    write_feed,
    write_mapping,
)


def months_of(rows):
    return [(row["loan_id"], str(row["as_of_date"])[:7], row["state"]) for row in rows(PERFORMANCE)]


def test_a_later_day_of_delivery_wins_whatever_the_order_of_the_runs(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "feed.yaml")
    newer = write_feed(tmp_path / "newer", "202001", [("1", "202001", 0), ("2", "202001", 0)])
    older = write_feed(tmp_path / "older", "202001", [("1", "202001", 95), ("9", "202001", 0)])
    ingest(source, newer, delivered_at="2020-03-01")
    before = months_of(rows)
    late = ingest(source, older, delivered_at="2020-02-01")
    assert months_of(rows) == before
    assert (late["late_files"], late["published"], late["superseded"]) == (["feed_202001.csv"], 0, 2)
    assert sorted((row["published"], row["superseded"]) for row in rows(DELIVERIES)) == [(0, 2), (2, 0)]
    assert {row["upb_read"] for row in rows(DELIVERIES)} == {200}
    with pytest.raises(InputError, match="--delivered-at"):
        ingest(source, older)

    added = write_feed(tmp_path / "added", "202001", [("2", "202001", 40), ("3", "202001", 0)])
    once = ingest(source, added, delivered_at="2020-04-01", scope="delta")
    found = [("1", "2020-01", "current"), ("2", "2020-01", "dpd30"), ("3", "2020-01", "current")]
    assert months_of(rows) == found
    ingest(source, added, delivered_at="2020-04-01", scope="delta")
    assert months_of(rows) == found
    assert (once["published"], once["rows"]) == (2, 2)
    assert_reconciled(rows(DELIVERIES), {"performance": 3})


def test_terms_of_a_later_day_win_whatever_the_order_of_the_runs(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "book.yaml", **SMALL_BOOK)
    months = [("A", "201904", 0), ("B", "201904", 0)]
    ingest(source, write_book(tmp_path / "whole", {"A": 758, "B": 758}, months), delivered_at="2020-01-15")
    fates = {}
    for day, score in (("2020-04-01", 700), ("2020-02-01", 600)):
        tape = write_book(tmp_path / day, {"A": score}, []) / "terms_2019Q1.csv"
        result = ingest(source, tape, delivered_at=day, scope="delta")
        fates[day] = (result["published"], result["superseded"])
    assert [(row["loan_id"], row["credit_score"]) for row in rows(LOANS)] == [("A", 700), ("B", 758)]
    assert fates == {"2020-04-01": (1, 0), "2020-02-01": (0, 1)}
    counted = {row["delivered_at"].isoformat(): row for row in rows(DELIVERIES) if row["kind"] == "loans"}
    assert [(row["published"], row["superseded"]) for _, row in sorted(counted.items())] == [
        (1, 1), (0, 1), (1, 0),
    ]  # fmt: skip


def test_terms_that_come_after_the_months_take_nothing_from_the_file_of_months(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "book.yaml", **SMALL_BOOK)
    folder = write_book(tmp_path, {"A": 700}, [("A", "201904", 0), ("A", "201905", 0)])
    ingest(source, folder / "months_2019Q1.csv", delivered_at="2019-06-15", scope="delta")
    assert [row["quality_flags"] for row in rows(LOANS)] == [["no_terms"]]
    ingest(source, folder / "terms_2019Q1.csv", delivered_at="2019-07-15", scope="delta")
    assert [row["quality_flags"] for row in rows(LOANS)] == [[]]
    assert_reconciled(rows(DELIVERIES), {"performance": 2, "loans": 1})


def test_whole_deliveries_and_deltas_give_the_same_tables_in_any_order(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "book.yaml", **SMALL_BOOK)

    def deliver(name: str) -> None:
        late, score, day, scope = {
            "january": ({"A": 0, "B": 1}, 700, "2020-01-15", "full"),
            "april": ({"A": 2}, 750, "2020-04-15", "delta"),
            "march": ({"A": 1, "B": 0}, 720, "2020-03-15", "full"),
        }[name]
        months = [(loan, "201904", number) for loan, number in late.items()]
        folder = write_book(tmp_path / name, {"A": score, "B": score}, months)
        options = {"settings": ("ingest.bounds.delinquent_share=[-1,1]",)}
        tape = folder / "months_2019Q1.csv" if scope == "delta" else folder
        ingest(source, tape, delivered_at=day, scope=scope, **options)

    def found():
        return (
            [(row["loan_id"], row["state"], str(row["known_on"])) for row in rows(PERFORMANCE)],
            [(row["loan_id"], row["credit_score"]) for row in rows(LOANS)],
        )

    deliver("january")
    deliver("april")
    states = [("A", "dpd60", "2020-04-15"), ("B", "dpd30", "2020-01-15")]
    assert found() == (states, [("A", 700), ("B", 700)])
    deliver("january")  # a retry of an old command takes nothing away
    assert found() == (states, [("A", 700), ("B", 700)])
    deliver("march")
    states = [("A", "dpd60", "2020-04-15"), ("B", "current", "2020-03-15")]
    assert found() == (states, [("A", 720), ("B", 720)])
    for name in ("april", "january", "march"):
        deliver(name)
        assert found() == (states, [("A", 720), ("B", 720)]), name
    assert_reconciled(rows(DELIVERIES), {"performance": 2, "loans": 2})


def test_mended_lines_come_again_and_leave_the_quarantine(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "feed.yaml")
    tape = write_feed(tmp_path, "202001", [("1", "202001", 0), ("2", "202013", 0), ("3", "202001", 0)])
    ingest(source, tape, settings=("ingest.max_quarantined_share=0.5",))
    (rejected,) = rows(QUARANTINE)
    mended = tmp_path / "mended.csv"
    header = "id,month,days,balance\n"
    mended.write_text(header + rejected["text"].replace("202013", "202001") + "\n")
    result = ingest(source, mended, replay=rejected["delivery"])
    assert [row[0] for row in months_of(rows)] == ["1", "2", "3"]
    assert rows(QUARANTINE) == []
    assert result["published"] == 1
    first = next(row for row in rows(DELIVERIES) if row["delivery"] == rejected["delivery"])
    assert (first["published"], first["quarantined"], first["superseded"]) == (2, 0, 1)
    with pytest.raises(InputError, match="lines in quarantine"):
        ingest(source, mended, replay=rejected["delivery"])


def test_mended_rows_of_a_parquet_file_come_again_as_one(ingest, rows, tmp_path):
    spec = {**MONTHLY_FEED["files"][0], "pattern": r"feed_\d{6}\.parquet"}
    source = write_mapping(tmp_path / "feed.yaml", files=[spec])
    feed = pa.table({"id": ["1", "2"], "month": ["202001", "202013"], "days": [0, 0], "balance": [1.0, 2.0]})
    pq.write_table(feed, tmp_path / "feed_202001.parquet")
    ingest(source, tmp_path / "feed_202001.parquet", settings=("ingest.max_quarantined_share=0.5",))
    (rejected,) = rows(QUARANTINE)
    mended = feed.slice(1).set_column(1, "month", pa.array(["202001"]))
    pq.write_table(mended, tmp_path / "mended.parquet")
    ingest(source, tmp_path / "mended.parquet", replay=rejected["delivery"])
    assert [row[0] for row in months_of(rows)] == ["1", "2"]
    assert rows(QUARANTINE) == []


def test_checks_flag_or_halt_and_a_tape_far_from_the_last_is_refused(ingest, rows, tmp_path):
    columns = MONTHLY_FEED["performance"]["columns"]
    checks = {"round_balance": {"when": "balance = 100", "severity": "flag"},
              "impossible": {"when": "days > 5000", "severity": "halt"}}  # fmt: skip
    source = write_mapping(tmp_path / "feed.yaml", performance={"columns": columns, "checks": checks})
    feed = [("1", "202001", 0), ("1", "202002", 95), ("2", "202001", 0), ("2", "202004", 0)]
    tape = write_feed(tmp_path, "202001", feed)
    ingest(source, tape)
    flags = {(row["loan_id"], str(row["as_of_date"])[5:7]): row["quality_flags"] for row in rows(PERFORMANCE)}
    assert flags["2", "04"] == ["round_balance", "gap"]
    assert flags["1", "02"] == ["round_balance", "state_jump"]  # 95 days late a month after none
    halting = write_feed(tmp_path / "halting", "202001", [*feed, ("7", "202001", 9999)])
    with pytest.raises(GateRefused, match="1 that fail impossible"):
        ingest(source, halting)
    short = write_feed(tmp_path / "short", "202001", feed[:1])
    with pytest.raises(GateRefused, match=r"rows 0\.25"):
        ingest(source, short)
    assert len(rows(PERFORMANCE)) == 4
    ingest(source, short, settings=tuple(f"ingest.bounds.{name}=[-9,9]" for name in WIDER))
    assert len(rows(PERFORMANCE)) == 1


def test_a_new_month_of_half_the_loans_is_refused(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "feed.yaml", slices="months")
    loans = [*"ABCDEFGH"]
    january = [(loan, "202001", -1 if loan == "H" else 0) for loan in loans]
    ingest(source, write_feed(tmp_path, "202001", january))
    half = write_feed(tmp_path, "202002", [(loan, "202002", 0) for loan in loans[:4]])
    with pytest.raises(GateRefused, match=r"(?s)slice 202001.*vanished_loans 0\.429.*7 before, 3 of them"):
        ingest(source, half)
    assert len(rows(PERFORMANCE)) == 8
    ingest(source, write_feed(tmp_path, "202002", [(loan, "202002", 0) for loan in loans[:7]]))
    assert len(rows(PERFORMANCE)) == 15


GUIDE = Path(__file__).parents[2] / "docs" / "mapping.md"
WIDER = ("rows", "upb", "delinquent_share", "vanished_loans")

WIDE = {
    "name": "wide",
    "product": "card",
    "known_lag_months": 0,
    "files": [
        {
            "kind": "performance", "pattern": r"wide\.csv", "header": True,
            "fields": {"id": "text", "limit": "money", "jan.days": "int", "feb.days": "int", "bad": "int"},
            "rows": "array(named_struct('month', DATE'2020-01-31', 'days', `jan.days`), "
            "named_struct('month', DATE'2020-02-29', 'days', `feb.days`))",
        }
    ],
    "outcome": {
        "expression": "CASE WHEN row.month = DATE'2020-02-29' THEN bad = 1 END",
        "definition": "bad", "horizon_months": 1, "grain": "loan",
    },
    "loans": {"of": "performance", "columns": {"loan_id": "id", "credit_limit": "limit"}},
    "performance": {
        "columns": {
            "loan_id": "id", "as_of_date": "row.month",
            "state": "CASE WHEN row.days < 30 THEN 'current' WHEN row.days < 60 THEN 'dpd30' END",
        }
    },
}  # fmt: skip


def test_a_line_makes_several_rows_and_the_terms_of_its_loan(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "wide.yaml", **WIDE)
    (tmp_path / "wide.csv").write_text("id,limit,jan.days,feb.days,bad\na,500,0,40,1\nb,700,0,,0\n")
    result = ingest(source, tmp_path / "wide.csv", settings=("ingest.max_quarantined_share=0.5",))
    assert (result["lines"], result["rows"], result["published"], result["quarantined"]) == (2, 4, 3, 1)
    assert months_of(rows) == [
        ("a", "2020-01", "current"), ("a", "2020-02", "dpd30"), ("b", "2020-01", "current"),
    ]  # fmt: skip
    assert [row["tape_outcome"] for row in rows(PERFORMANCE)] == [None, 1, None]
    assert [(row["loan_id"], row["credit_limit"], row["quality_flags"]) for row in rows(LOANS)] == [
        ("a", 500, []), ("b", 700, []),
    ]  # fmt: skip
    assert [(row["line"], row["reasons"]) for row in rows(QUARANTINE)] == [(3, ["missing_state"])]


def test_a_check_of_terms_that_come_with_the_months_halts_too(ingest, rows, tmp_path):
    check = {"no_limit": {"when": "limit = 0", "severity": "halt"}}
    loans = {"of": "performance", "columns": {"loan_id": "id", "credit_limit": "limit"}, "checks": check}
    source = write_mapping(tmp_path / "wide.yaml", **{**WIDE, "loans": loans})
    (tmp_path / "wide.csv").write_text("id,limit,jan.days,feb.days,bad\na,500,0,40,1\nb,0,0,0,0\n")
    with pytest.raises(GateRefused, match="no_limit"):
        ingest(source, tmp_path / "wide.csv")


def test_terms_that_come_with_the_months_are_gated_too(ingest, tmp_path):
    check = {"no_limit": "limit = 0"}
    loans = {"of": "performance", "columns": {"loan_id": "id", "credit_limit": "limit"}, "checks": check}
    source = write_mapping(tmp_path / "wide.yaml", **{**WIDE, "loans": loans})
    (tmp_path / "wide.csv").write_text("id,limit,jan.days,feb.days,bad\na,500,0,40,1\nb,0,0,0,0\n")
    with pytest.raises(GateRefused, match=r"2 of 4 in wide.*no_limit \(2\)"):
        ingest(source, tmp_path / "wide.csv")


def test_the_mapping_of_the_guide_reads_its_tape(ingest, rows, tmp_path):
    (text,) = re.findall(r"```yaml\n(name: shop_loans\n.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "shop.yaml").write_text(text)
    (tape,) = re.findall(r"```text\n(id;month;.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "loans_202401.csv").write_text(tape)
    settings = ("ingest.max_quarantined_share=0.7",)
    ingest(str(tmp_path / "shop.yaml"), tmp_path / "loans_202401.csv", settings=settings)
    (row,) = rows(PERFORMANCE)
    assert (row["loan_id"], row["state"], row["quality_flags"]) == ("A", "current", ["over_limit"])
    assert [row["reasons"] for row in rows(QUARANTINE)] == [["negative_days"], ["missing_state"]]
    assert [(row["loan_id"], row["original_upb"]) for row in rows(LOANS)] == [("A", 500)]
