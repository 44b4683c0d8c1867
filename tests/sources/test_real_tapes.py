"""The real tapes: their lines reconcile, and what is known of them is found again."""

import shutil
import zipfile
from datetime import date

import pandas as pd
import pytest
from pyspark.sql import functions as F

from loanbook.sources.job import ingest_tapes
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.terminations import TERMINATIONS


@pytest.fixture(autouse=True)
def compiled(spark):
    """Compile expressions: these tapes have rows enough to be worth it, unlike the other tests'."""
    name = "spark.sql.codegen.factoryMode"
    before = spark.conf.get(name)
    spark.conf.set(name, "FALLBACK")
    yield
    spark.conf.set(name, before)


def counts(frame, column):
    return {row[column]: row["count"] for row in frame.groupBy(column).count().collect()}


def ingest(make_run, source, tapes):
    run = make_run("ingest_tapes", source=source)
    result = run.finish(ingest_tapes(run, tapes=[str(path) for path in tapes], delivered_at=None))
    lines = {row.file: row.lines for row in make_run().read(DELIVERIES, made_by="").collect()}
    return result, lines


def test_fannie_mae(make_run, shared_data):
    folder = shared_data / "fannie_mae_2007q3"
    result, lines = ingest(make_run, "fannie_mae", [folder])
    assert lines == {path.name: path.read_bytes().count(b"\n") for path in folder.glob("*.txt*")}
    assert (result["loans"], result["loan_months"], result["quarantined"]) == (10_000, 10_000, 0)
    performance = make_run().read(PERFORMANCE, made_by="")
    assert performance.select("loan_id").distinct().count() == 177
    assert counts(make_run().read(TERMINATIONS, made_by=""), "exit_reason") == {
        "01": 138,
        "03": 2,
        "06": 3,
        "09": 10,
    }
    # The owner hides the balance of the first months: missing, not zero.
    assert performance.where("upb IS NULL").count() == 1049
    assert performance.where("upb = 0").count() == 153
    terminations = make_run().read(TERMINATIONS, made_by="")
    late = terminations.where("disposition_date > as_of_date")
    assert late.count() > 0  # the row is dated at the exit and says what was learned later
    assert terminations.where("known_on < disposition_date").isEmpty()


def test_card_histories(make_run, shared_data):
    folder = shared_data / "credit_card_status"
    result, lines = ingest(make_run, "credit_card_status", [folder])
    for path in folder.glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            assert lines[name] == archive.read(name).count(b"\n") - 1
    assert result["lines"] == 1_048_575 + 438_557
    assert (result["loans"], result["quarantined"], result["superseded"]) == (45_985, 0, 47)
    applications = make_run().read(DELIVERIES, made_by="").where("kind = 'loans'").first()
    assert applications.published == 36_457
    performance = make_run().read(PERFORMANCE, made_by="")
    ends = performance.where("state = 'prepaid'")
    assert ends.count() == ends.select("loan_id").distinct().count() > 10_000
    assert performance.agg(F.max("as_of_date")).first()[0] == date(2020, 2, 29)
    assert make_run().read(QUARANTINE, made_by="").isEmpty()


def test_uci_credit_cards(make_run, shared_data):
    folder = shared_data / "uci_credit_card"
    result, lines = ingest(make_run, "uci_credit_card", [folder])
    assert lines == {"UCI_Credit_Card.csv": 30_000}
    assert (result["loans"], result["rows"], result["published"]) == (30_000, 180_000, 180_000)
    performance = make_run().read(PERFORMANCE, made_by="")
    outcomes = counts(performance, "tape_outcome")
    assert outcomes == {None: 150_000, 0: 23_364, 1: 6_636}  # the publisher's 22.12 %
    tape = pd.read_csv(folder / "UCI_Credit_Card.csv")
    newest_first = performance.where("loan_id = '1'").orderBy(F.desc("as_of_date")).collect()
    assert [row.statement for row in newest_first] == [int(tape[f"BILL_AMT{k}"][0]) for k in range(1, 7)]
    bills = tape.filter(like="BILL_AMT").to_numpy()
    assert performance.agg(F.sum("statement")).first()[0] == int(bills.sum())
    assert performance.where("statement < 0").count() == (bills < 0).sum() > 0  # credits, not debts
    assert performance.where("credit_limit IS NOT NULL").isEmpty()  # one for all months: in loans


def test_the_case_control_panel_of_fannie_mae(make_run, shared_data):
    result, lines = ingest(make_run, "fannie_mae_panel", [shared_data / "fannie_mae_monthly_2015_2019"])
    assert lines == {"fannie_monthly_panel_2015_2019.parquet": 67_292}
    assert (result["loans"], result["published"], result["quarantined"]) == (2_390, 67_020, 272)
    assert counts(make_run().read(TERMINATIONS, made_by=""), "exit_reason") == {"foreclosure": 607}


def test_lending_club(make_run, shared_data, tmp_path):
    (path,) = (shared_data / "lending_club_2007_2011").glob("*.parquet")
    whole = pd.read_parquet(path)
    assert len(whole) == 42_535
    tape = whole.iloc[::4]  # the whole file makes 1.3 million months
    tape.to_parquet(tmp_path / path.name)
    result, lines = ingest(make_run, "lending_club", [tmp_path])
    assert lines == {path.name: len(tape)}
    assert (result["loans"], result["quarantined"], result["superseded"]) == (len(tape), 0, 0)
    bad = int(tape["loan_status"].str.endswith("Charged Off").sum())
    performance = make_run().read(PERFORMANCE, made_by="")
    outcomes = counts(performance.where("tape_outcome IS NOT NULL"), "tape_outcome")
    assert outcomes == {0: len(tape) - bad, 1: bad}
    exits = counts(make_run().read(TERMINATIONS, made_by=""), "state")
    assert exits["liquidated"] == bad
    assert sum(exits.values()) == len(tape)
    loans = make_run().read(LOANS, made_by="")
    described = int((tape["desc"].str.strip() != "").sum())
    assert loans.where("text_attributes['desc'] IS NOT NULL").count() == described > 0.6 * len(tape)
    assert loans.where("attribute_roles['recoveries'] <> 'post_outcome'").isEmpty()


def test_genuine_lines_of_the_agencies(make_run, shared_data, tmp_path):
    native = shared_data / "native_lines"
    for name, file in (
        ("2019Q1.csv", "fannie_mae_110_fields.txt"),
        ("historical_data_2019Q1.txt", "freddie_mac_orig_32_fields.txt"),
        ("historical_data_time_2019Q1.txt", "freddie_mac_perf_32_fields.txt"),
    ):
        shutil.copy(native / file, tmp_path / name)
    fannie, _ = ingest(make_run, "fannie_mae_single", [tmp_path])
    assert (fannie["loans"], fannie["published"], fannie["quarantined"]) == (10, 10, 0)
    freddie, _ = ingest(make_run, "freddie_mac", [tmp_path])
    assert (freddie["loans"], freddie["published"], freddie["quarantined"]) == (2, 5, 0)
    loans = {row.loan_id: row for row in make_run().read(LOANS, made_by="").collect()}
    assert loans["94751875"].credit_score == 701
    assert loans["F24Q10000019"].credit_score == 812
    assert loans["F19Q10000001"].origination_date == date(2019, 3, 1)
    # Lines of 12/2024 report exits of years before: they are dated by the zero balance.
    exits = make_run().read(TERMINATIONS, made_by="").where("source = 'fannie_mae_single'").collect()
    assert {row.loan_id: row.as_of_date for row in exits}["94751875"] == date(2022, 11, 30)
    assert all(row.as_of_date.month == row.zero_balance_date.month for row in exits)
