"""What a tape says in odd ways: kept with a flag, rejected with a reason, or nothing is published."""

from datetime import date

import pytest

from loanbook.errors import GateRefused
from loanbook.quality.rejected import Lost, Rejected, assert_no_class_lost, lost_classes
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from tests.sources.tapes import MONTHLY_FEED, write_mapping

FIELDS = {
    "id": "text", "month": {"type": "date", "format": "yyyyMM"}, "days": "int", "balance": "money",
    "opened": "date", "ends": {"type": "date", "missing": ["9999-12-31"]}, "income": "double",
}  # fmt: skip
TERMS = {
    "of": "performance",
    "columns": {
        "loan_id": "id", "origination_date": "opened", "maturity_date": "ends", "dti": "exp(income - 5000)",
    },
    "attributes": {"income": {"expression": "income", "type": "numeric", "role": "input"}},
}  # fmt: skip
ODD = """twin,202001,0,100.00,2018-05-01,2028-05-01,5000
twin,202001,95,9999.00,2018-05-01,2028-05-01,5000
same,202001,0,100.00,2018-05-01,2028-05-01,5000
same,202001,0,100.00,2018-05-01,2028-05-01,5000
rich,202001,0,100.00,2018-05-01,2028-05-01,Infinity
wide,202001,0,100.00,2018-05-01,2028-05-01,9000
open,202001,0,100.00,2018-05-01,9999-12-31,5000
past,202001,0,100.00,0001-01-01,2028-05-01,5000
next,202001,0,100.00,2999-01-01,2028-05-01,5000
many,202001,0,1.250,2018-05-01,2028-05-01,5000
"""


def feed(folder, lines, **changes):
    """Write a file of the feed, with ten usual loans before the lines, and its mapping; return both."""
    usual = "".join(f"u{k},202001,0,100.00,2018-05-01,2028-05-01,5000\n" for k in range(10))
    path = folder / "feed_202001.csv"
    path.write_text(f"{','.join(FIELDS)}\n{usual}{lines}")
    spec = {**MONTHLY_FEED["files"][0], "fields": FIELDS}
    return write_mapping(folder / "feed.yaml", files=[spec], loans=TERMS, **changes), path


def test_what_is_odd_is_flagged_missing_or_rejected_and_counted(ingest, rows, tmp_path):
    result = ingest(*feed(tmp_path, ODD))
    assert result["rejected"] == {
        "loans": {"origination_in_bounds": 2, "future_origination": 1},
        "performance": {"decimals_balance": 1},
    }
    assert result["flagged"] == {
        "loans": {"not_finite_dti": 1, "not_finite_income": 1},
        "performance": {"conflicting_rows": 1, "not_finite_income": 1},
    }
    months = {row["loan_id"]: row for row in rows(PERFORMANCE)}
    assert (months["twin"]["state"], months["twin"]["quality_flags"]) == ("dpd90", ["conflicting_rows"])
    assert months["same"]["quality_flags"] == []
    assert "many" not in months
    terms = {row["loan_id"]: row for row in rows(LOANS)}
    assert (terms["rich"]["numeric_attributes"], terms["rich"]["dti"]) == ({"income": None}, None)
    assert (terms["wide"]["quality_flags"], terms["wide"]["dti"]) == (["not_finite_dti"], None)
    assert (terms["open"]["maturity_date"], terms["open"]["vintage"]) == (None, "2018Q2")
    assert [terms[name]["quality_flags"] for name in ("past", "next")] == [["no_terms"]] * 2
    lines = [(row["text"][:4], row["rows"]) for row in rows(QUARANTINE)]
    assert lines == [("past", 0), ("next", 0), ("many", 1)]
    (delivery,) = rows(DELIVERIES)
    assert delivery["quarantined"] == result["quarantined"] == 1


def test_codes_without_a_state_and_conflicts_that_halt_publish_nothing(ingest, make_run, tmp_path):
    columns = {**MONTHLY_FEED["performance"]["columns"], "state": "CASE days WHEN 0 THEN 'current' END"}
    given = feed(
        tmp_path, "late,202001,95,100.00,2018-05-01,2028-05-01,5000\n", performance={"columns": columns}
    )
    with pytest.raises(
        GateRefused, match=r"(?s)max_lost_class_share.*no state for days=95 \(1\), of 11 rows"
    ):
        ingest(*given)
    given = feed(tmp_path, ODD, history_checks={"conflicting_rows": "halt"})
    with pytest.raises(GateRefused, match="1 that fail conflicting_rows"):
        ingest(*given)
    assert make_run().published == {}


JANUARY, FEBRUARY = date(2020, 1, 31), date(2020, 2, 29)
GROUPS = [  # month, state, its values where it has none, reasons, rows
    (JANUARY, "current", None, [], 5),
    (JANUARY, "dpd30", None, ["upb_not_negative"], 1),
    (JANUARY, "dpd90", None, ["upb_not_negative"], 2),
    (JANUARY, None, "code=7", ["missing_state"], 3),
    (JANUARY, None, None, ["missing_state", "unknown_code"], 3),
    (FEBRUARY, "dpd30", None, [], 1),
    (FEBRUARY, "reo", None, ["upb_not_negative"], 1),
    (date(2020, 3, 31), "current", None, ["rate_range"], 2),
    (date(2999, 3, 31), "current", None, ["future_month"], 1),
]


def test_a_month_or_a_state_of_which_nothing_is_left_is_lost_and_a_code_without_a_state(spark):
    rows = [group[:4] for group in GROUPS for _ in range(group[4])]
    frame = spark.createDataFrame(
        rows, "as_of_date DATE, state STRING, state_of STRING, reasons ARRAY<STRING>"
    )
    judged = frame.selectExpr("*", "if(size(reasons) > 0, 'quarantined', 'published') AS fate")
    assert lost_classes(judged) == [
        Lost("all rows of 2020-03", 2), Lost("all rows of state dpd90", 2), Lost("no state for code=7", 3),
    ]  # fmt: skip


def test_classes_are_lost_where_they_are_more_than_the_share_allowed():
    lost = [Lost("all rows of state dpd90", 2), Lost("all rows of 2020-03", 1)]
    assert_no_class_lost(lost, 1000, 0.002)
    with pytest.raises(GateRefused, match=r"(?s)0\.10%.*all rows of state dpd90 \(2\), of 1,000 rows"):
        assert_no_class_lost(lost, 1000, 0.001)
    assert_no_class_lost(lost, 2, 1.0)


def test_a_reason_is_told_with_the_share_of_the_delinquent():
    assert str(Rejected("upb_not_negative", 1200, 1000, 250)) == (
        "1,200 rejected by upb_not_negative; of 1,000 whose state could be read 250 are delinquent (25%)"
    )
    unread = Rejected("missing_state", 3, 0, 0)
    assert str(unread) == "3 rejected by missing_state; the state of none could be read"
    assert str(Rejected("unreadable_ltv", 7)) == "7 rejected by unreadable_ltv"
