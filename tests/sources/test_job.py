"""Tapes in, tables out: counts that reconcile, quarantine, corrections, and what is refused."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from loanbook.errors import GateRefused, InputError
from loanbook.quality.fates import FATES
from loanbook.settings.settings import load_settings
from loanbook.sources.job import ingest_tapes
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.runs import RUNS
from loanbook.tables.superseded import SUPERSEDED
from loanbook.tables.terminations import TERMINATIONS
from loanbook.warehouse import delta
from loanbook.warehouse.runs import Run
from tests.sources.tapes import (
    MONTHLY_FEED,
    assert_reconciled,
    month,
    table_rows,
    terms,
    write_feed,
    write_freddie,
    write_mapping,
)

TABLES = (LOANS, PERFORMANCE, TERMINATIONS, SUPERSEDED, QUARANTINE, DELIVERIES)
LIQUIDATED = {
    3: "0.00", 9: "09", 10: "201907", 13: "201904", 14: "100.00", 15: "U", 16: "5.00", 17: "-30.00",
    22: "-60000.00", 27: "246000.00",
}  # fmt: skip


def freddie_tape(folder: Path) -> Path:
    """Write a tape whose lines meet every fate once at least."""
    loans = [
        terms("A"), terms("B", {1: "9999", 6: "999", 9: "999", 10: "999", 12: "999", 8: "9", 19: ""}),
        terms("C", {1: "7x8"}), terms("D", {13: "5.0"}), terms("D", {13: "6.0"}), "A|cut",
    ]  # fmt: skip
    months = [
        month("A", "201904"), month("A", "201905", "3"), month("A", "201906", "RA"),
        month("A", "201907", "RA", LIQUIDATED), month("A", "201908", "0"),
        month("B", "201904"), month("B", "201905", ""), month("B", "201906", "1", {3: "-5.00", 2: "20190"}),
        month("C", "201904"), month("C", "201904", "2"),
        month("D", "201904", "0", {3: "0.00", 9: "01", 6: "0"}), "nonsense",
    ]  # fmt: skip
    return write_freddie(folder, loans, months)


LENIENT = ("ingest.max_quarantined_share=0.5",)


@dataclass(frozen=True)
class Ingested:
    """The same tape ingested twice: what the job said, and every table's rows after each time."""

    result: dict[str, Any]
    once: dict[str, list[dict[str, Any]]]
    twice: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def ingested(spark, tmp_path_factory) -> Ingested:
    folder = tmp_path_factory.mktemp("freddie")
    settings = load_settings("local", [f"paths.warehouse={folder / 'warehouse'}", *LENIENT])
    tape, results, contents = freddie_tape(folder / "tape"), [], []
    for _ in range(2):
        run = Run("ingest_tapes", settings, source="freddie_mac")
        results.append(run.finish(ingest_tapes(run, tapes=[str(tape)], delivered_at=None)))
        contents.append({table.name: table_rows(Run("test", settings), table) for table in TABLES})
    return Ingested(results[0], *contents)


def test_every_line_has_a_fate_and_rejected_ones_keep_text_file_line_and_reasons(ingested):
    result = ingested.result
    counts = {name: result[name] for name in ("lines", "loans", "loan_months", *FATES)}
    assert counts == {
        "lines": 18, "loans": 4, "loan_months": 7,
        "published": 10, "quarantined": 5, "superseded": 2, "set_aside": 1,
    }  # fmt: skip
    assert (result["first_month"], result["last_month"]) == (date(2019, 4, 30), date(2019, 7, 31))
    assert_reconciled(ingested.once["deliveries"], {"loans": 3, "performance": 7})
    rejected = {(row["kind"], row["line"]): row for row in ingested.once["quarantine"]}
    assert {key: row["reasons"] for key, row in rejected.items()} == {
        ("loans", 3): ["unreadable_credit_score"],
        ("loans", 6): ["number_of_fields"],
        ("performance", 7): ["delinquency_unknown", "missing_state"],
        ("performance", 8): ["missing_as_of_date", "unreadable_reporting_period", "upb_not_negative"],
        ("performance", 12): ["number_of_fields"],
    }
    assert rejected["performance", 12]["text"] == "nonsense"
    assert rejected["performance", 7]["text"] == month("B", "201905", "")
    assert rejected["loans", 6]["file"] == "historical_data_2019Q1.txt"


def test_canonical_terms_of_freddie_mac(ingested):
    a, b, c, d = ingested.once["loans"]
    assert (a["origination_date"], a["maturity_date"]) == (date(2019, 3, 1), date(2039, 4, 1))
    assert (a["vintage"], a["credit_score"], a["ltv"], a["mi_percent"]) == ("2019Q1", 758, 55, 0)
    assert (a["purpose"], a["zip3"], a["attribute_roles"]["msa"]) == ("rate_term", "511", "monitoring")
    sentinels = ("credit_score", "ltv", "cltv", "dti", "mi_percent", "occupancy", "zip3")
    assert {name: b[name] for name in sentinels} == dict.fromkeys(sentinels)
    assert c["original_upb"] is None  # its terms are in quarantine, but it has months
    assert (d["original_rate"], d["line"]) == (6, 5)  # the last line of a loan wins


def test_canonical_months_of_freddie_mac(ingested):
    months = {(row["loan_id"], row["as_of_date"].month): row for row in ingested.once["performance"]}
    assert {key: row["state"] for key, row in months.items()} == {
        ("A", 4): "current", ("A", 5): "dpd90", ("A", 6): "reo", ("A", 7): "liquidated",
        ("B", 4): "current", ("C", 4): "dpd60", ("D", 4): "matured",
    }  # fmt: skip
    assert [months["A", number]["default_status"] for number in (4, 5, 6, 7)] == [
        "performing", "in_default", "in_default", "terminated",
    ]  # fmt: skip
    assert months["A", 7]["loss_event"]
    assert not months["D", 4]["loss_event"]
    assert months["A", 4]["known_on"] == date(2019, 4, 30)


def test_what_is_known_at_the_end_goes_to_terminations(ingested):
    a, d = ingested.once["terminations"]
    assert (a["state"], a["exit_reason"], a["state_before_exit"]) == ("liquidated", "09", "reo")
    assert (a["actual_loss"], a["expenses"], a["upb_at_exit"]) == (60_000, 30, 246_000)
    assert a["net_sale_proceeds"] is None  # 'U' is unknown
    assert (d["state"], d["exit_reason"], d["state_before_exit"]) == ("matured", "01", None)


def test_the_same_tape_again_changes_nothing(ingested):
    assert ingested.twice == ingested.once


def test_too_many_rejected_lines_publish_nothing(ingest, make_run, tmp_path):
    freddie = freddie_tape(tmp_path)
    with pytest.raises(GateRefused, match="3 of 12 in historical_data_time_2019Q1") as refused:
        ingest("freddie_mac", freddie, settings=("ingest.max_quarantined_share=0.1",))
    assert refused.value.exit_code == 3
    assert make_run().published == {}


def test_a_mapping_that_names_an_unknown_field_is_bad_input(ingest, tmp_path):
    source = write_mapping(
        tmp_path / "feed.yaml",
        performance={"columns": {"loan_id": "id", "as_of_date": "month", "state": "stat"}},
    )
    with pytest.raises(InputError, match=r"performance\.columns\.state.*\n.*stat"):
        ingest(source, write_feed(tmp_path, "202001", [("1", "202001", 0)]))


def test_a_header_without_a_field_is_bad_input(ingest, tmp_path):
    source = write_mapping(tmp_path / "feed.yaml")
    (tmp_path / "feed_202001.csv").write_text("id,month,days\n1,202001,0\n")
    with pytest.raises(InputError, match=r"the columns balance in feed_202001\.csv"):
        ingest(source, tmp_path / "feed_202001.csv")


def test_a_text_compared_with_a_number_is_bad_input(ingest, tmp_path):
    checks = {"odd": "id BETWEEN 1 AND 5"}
    performance = {"columns": MONTHLY_FEED["performance"]["columns"], "checks": checks}
    source = write_mapping(tmp_path / "feed.yaml", performance=performance)
    with pytest.raises(InputError, match=r"performance\.checks\.odd.*\n.*the text id is used as bigint"):
        ingest(source, write_feed(tmp_path, "202001", [("1", "202001", 0)]))


def test_a_value_that_its_column_cannot_hold_is_rejected_and_a_column_that_is_not_read_is_named(
    ingest, rows, tmp_path
):
    columns = {**MONTHLY_FEED["performance"]["columns"], "rate": "balance"}
    source = write_mapping(tmp_path / "feed.yaml", performance={"columns": columns})
    tape = tmp_path / "feed_202001.csv"
    tape.write_text("id,month,days,balance,branch\n1,202001,0,999.5,x\n2,202001,0,1000.0,y\n")
    result = ingest(source, tape, settings=LENIENT)
    assert result["columns_left_out"] == {"performance": ["branch"]}
    assert [row["loan_id"] for row in rows(PERFORMANCE)] == ["1"]
    assert [(row["line"], row["reasons"]) for row in rows(QUARANTINE)] == [(3, ["unfit_rate"])]


def test_a_last_line_without_its_end_is_kept_and_flagged_unless_the_mapping_rejects_it(
    ingest, rows, tmp_path
):
    source = write_mapping(tmp_path / "feed.yaml")
    tape = tmp_path / "feed_202001.csv"
    tape.write_text("id,month,days,balance\n1,202001,0,100.00\n2,202001,0,100.0")
    ingest(source, tape)
    assert [row["quality_flags"] for row in rows(PERFORMANCE)] == [[], ["unended_last_line"]]


def test_the_run_keeps_what_became_of_each_file(ingest, make_run, tmp_path):
    source = write_mapping(tmp_path / "feed.yaml")
    tape = write_feed(tmp_path, "202001", [("1", "202001", 0), ("2", "202013", 0), ("3", "202001", 0)])
    ingest(source, tape, settings=LENIENT)
    run = make_run()
    version = delta.latest_version(run.spark, run.storage, RUNS) or 0
    (row,) = delta.read(run.spark, run.storage, RUNS, version).collect()
    (file,) = json.loads(row["details"])["files"]
    assert [file[name] for name in ("file", "lines", *FATES)] == ["feed_202001.csv", 3, 2, 1, 0, 0]
    assert (file["upb_read"], file["upb"], file["upb_quarantined"]) == ("300.00", "200.00", "100.00")
