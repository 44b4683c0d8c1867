"""End to end on the tiny simulated book: one run of everything, then every job again."""

import hashlib
import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from loanbook.cli import main
from tests.duck import duck

pytestmark = pytest.mark.train

# A run's own name and the number of the commit it read; all else must be the same when a job is run again.
VARYING = {"run_id", "features_version"}
OWN_TAPES = ("--source", "simulated", "--tapes", "{book}/tapes")


@pytest.fixture(scope="module")
def warehouse(spark, tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("pipeline") / "warehouse"


def call(warehouse: Path, *arguments: str, epochs: int = 3) -> dict[str, Any]:
    out = StringIO()
    with redirect_stdout(out):
        settings = (f"paths.warehouse={warehouse}", f"train.epochs={epochs}", "train.members=2")
        code = main([*arguments, *[word for setting in settings for word in ("--set", setting)]])
    result: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    assert result["exit_code"] == code
    return {**result, "stdout": out.getvalue()}


@pytest.fixture(scope="module")
def result(warehouse) -> dict[str, Any]:
    return call(warehouse, "run-pipeline", "--simulate", "tiny", "--workers", "2")


def rows_of(warehouse: Path, table: str) -> list[str]:
    scan = duck().sql(f"FROM delta_scan('{warehouse}/{table}')")
    columns = [name for name in sorted(scan.columns) if name not in VARYING]
    return sorted(str(row) for row in scan.select(*columns).fetchall())


def fingerprint(warehouse: Path, tables: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    rows = {table: rows_of(warehouse, table) for table in tables}
    return {table: (len(r), hashlib.sha256("\n".join(r).encode()).hexdigest()) for table, r in rows.items()}


def test_the_pipeline_ends_in_a_line_with_the_figures(result):
    assert result["status"] == "published", result
    assert result["loans"] > 100
    assert result["loan_months"] > result["loans"]
    assert result["scores"] > 0
    assert 0.5 < result["auc"] <= 1
    assert 0 < result["log_loss_of_truth"] < 1
    assert 0 < result["log_loss_of_baselines"]["logistic"] < 1
    jobs = ["simulate_tapes", "ingest_tapes", "ingest_macro", "build_features", "build_labels"]
    assert list(result["seconds_by_job"]) == [*jobs, "train_model", "evaluate_model", "score_portfolio"]


def test_every_loan_of_the_book_has_one_score(result, spark, warehouse):
    features = spark.read.format("delta").load(f"{warehouse}/features")
    scores = spark.read.format("delta").load(f"{warehouse}/scores")
    month = scores.agg({"as_of_date": "max"}).first()[0]
    book = features.where(features["as_of_date"] == month)
    assert scores.count() == book.count() == result["scores"]
    assert scores.agg({"upb": "sum"}).first() == book.agg({"upb": "sum"}).first()
    assert [row["predictor"] for row in scores.select("predictor").distinct().collect()] == [
        result["predictor"]
    ]
    assert "least log loss on out_of_fold" in result["predictor_because"]
    in_default = scores.where("default_status <> 'performing'")
    assert in_default.where("pd_12m <> 1").count() == 0


def test_lines_in_are_rows_out(result, spark, warehouse):
    deliveries = spark.read.format("delta").load(f"{warehouse}/deliveries").where("kind = 'performance'")
    files = (warehouse / "_simulated" / "tapes").glob("historical_data_time_*.txt")
    lines = sum(path.read_bytes().count(b"\n") for path in files)
    total = deliveries.agg({"lines": "sum"}).first()[0]
    assert total == lines
    performance = spark.read.format("delta").load(f"{warehouse}/performance")
    assert performance.count() == deliveries.agg({"published": "sum"}).first()[0]


def test_the_default_rate_by_cohort_has_no_jump_at_the_end(result, spark, warehouse):
    labels = spark.read.format("delta").load(f"{warehouse}/labels")
    cohorts = labels.groupBy("as_of_date").agg({"default_12m": "avg", "label_status": "first"}).toPandas()
    cohorts = cohorts.sort_values("as_of_date").set_index("as_of_date")["avg(default_12m)"]
    assert cohorts.tail(12).isna().all()
    matured = cohorts.dropna()
    assert matured.tail(3).max() < 3 * matured.tail(15).head(12).max()


def test_the_whole_model_can_be_made_again(result, warehouse):
    again = call(warehouse, "train-model", "--workers", "2")
    assert again["model_version"] == result["model_version"]


def test_every_job_run_again_gives_the_same_tables(result, warehouse):
    book = warehouse / "_simulated"
    again = {
        ("ingest-tapes", "--source", "simulated", "--tapes", str(book / "tapes")): (
            "loans",
            "performance",
            "terminations",
            "quarantine",
            "deliveries",
        ),
        ("ingest-macro", "--source", "macro_simulated", "--files", str(book / "macro")): ("macro",),
        ("build-features",): ("features",),
        ("build-labels",): ("labels", "outcomes"),
        ("evaluate-model", "--truth", str(book / "truth")): ("predictions", "evaluations"),
        ("score-portfolio",): ("scores",),
    }
    for arguments, tables in again.items():
        before = fingerprint(warehouse, tables)
        assert call(warehouse, *arguments)["status"] == "published"
        assert fingerprint(warehouse, tables) == before, arguments[0]


def test_a_question_is_answered_without_a_jvm(result, warehouse):
    answer = call_sql(warehouse, "SELECT count(*) AS n FROM latest_scores")
    assert json.loads(answer)[0]["n"] == result["scores"]


def call_sql(warehouse: Path, query: str) -> str:
    out = StringIO()
    with redirect_stdout(out):
        assert main(["sql", query, "--format", "json", "--set", f"paths.warehouse={warehouse}"]) == 0
    return out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("ingest-tapes", "--source", "simulated", "--tapes", "no/such/folder"), "no/such/folder"),
        (("ingest-tapes", "--source", "nobody", "--tapes", "."), "'nobody'"),
        (("score-portfolio", "--as-of", "1999-01-31"), "1999-01-31"),
        (("build-features", "--set", "book.stale=1"), "book.stale"),
        (("train-model", "--model", "no_such_net"), "no_such_net"),
        (("evaluate-model", "--model", "no_such_net"), "no_such_net"),
        (("score-portfolio", "--set", "score.scenario=adverse"), "baseline"),
        (("run-pipeline", *OWN_TAPES, "--as-of", "2031-12-31"), "2031-12-31"),
        (("run-pipeline", *OWN_TAPES, "--workers", "0"), "--workers"),
        (("run-pipeline", *OWN_TAPES, "--workers", "99"), "99 Spark task slots"),
        (("run-pipeline", *OWN_TAPES, "--macro", "{book}/macro", "--macro-source", "macro_us"), "us_monthly"),
    ],
)
def test_bad_input_exits_2_says_what_to_do_and_changes_no_table(result, spark, warehouse, arguments, words):
    versions = {path.parent.parent: path.name for path in sorted(warehouse.glob("*/_delta_log/*.json"))}
    answer = call(warehouse, *(text.format(book=warehouse / "_simulated") for text in arguments))
    assert answer["exit_code"] == 2
    assert all(part in answer["error"] for part in ("required:", "found:", "do:", words))
    assert {p.parent.parent: p.name for p in sorted(warehouse.glob("*/_delta_log/*.json"))} == versions
