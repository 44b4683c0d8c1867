"""The real tapes: their lines reconcile, and what is known of them is found again."""

import zipfile
from datetime import date

from pyspark.sql import functions as F

from loanbook.sources.job import ingest_tapes
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.terminations import TERMINATIONS


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


def test_native_lines_of_freddie_mac(make_run, shared_data, tmp_path):
    native = shared_data / "native_lines"
    for name, kind in (("historical_data_2019Q1.txt", "orig"), ("historical_data_time_2019Q1.txt", "perf")):
        (tmp_path / name).write_bytes((native / f"freddie_mac_{kind}_32_fields.txt").read_bytes())
    result, _ = ingest(make_run, "freddie_mac", [tmp_path])
    assert (result["loans"], result["loan_months"], result["quarantined"]) == (2, 3, 0)
    loan = make_run().read(LOANS, made_by="").orderBy("loan_id").first()
    assert (loan.credit_score, loan.origination_date, loan.region) == (758, date(2019, 3, 1), "IA")


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
