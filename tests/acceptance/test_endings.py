"""However a job ends, it ends with its result: told to end, mistyped, or without a place to write."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.acceptance.processes import ENVIRONMENT, ended, shell, submit

pytestmark = [pytest.mark.spark, pytest.mark.acceptance]

MAPPING = r"""
name: shop
product: personal
period_months: 1
known_lag_months: 1
slices: months
files:
  - kind: performance
    pattern: loans_\d{6}\.csv
    slice: loans_(\d{6})
    delimiter: ";"
    header: true
    fields: {id: text, month: {type: date, format: yyyyMM}, balance: money, opened: date}
loans:
  of: performance
  columns: {loan_id: id, origination_date: opened}
performance:
  columns: {loan_id: id, as_of_date: month, state: "'current'", upb: balance}
"""


@pytest.fixture
def tape(tmp_path) -> tuple[str, ...]:
    (tmp_path / "shop.yaml").write_text(MAPPING, "utf-8")
    file = tmp_path / "loans_202401.csv"
    file.write_text("id;month;balance;opened\nA;202401;10.00;2023-01-01\n", "utf-8")
    return "ingest-tapes", "--source", str(tmp_path / "shop.yaml"), "--tapes", str(file)


@pytest.mark.parametrize("form", [shell, submit])
def test_a_mistyped_date_is_told(form, tmp_path):
    process = ended(form("build-features", "--as-of", "2019-13-01", settings={}), tmp_path)
    assert process.code == 2
    assert "found:    '2019-13-01'" in process.result["error"]
    assert "Traceback" not in process.stderr


def test_a_warehouse_that_cannot_be_written_is_told_before_the_work(tape, tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    closed = tmp_path / "closed"
    closed.mkdir(0o500)
    places = [tmp_path / "file" / "w", *([closed / "w"] if os.geteuid() else [])]  # root may write anywhere
    for place in places:
        process = ended(shell(*tape, settings={"paths.warehouse": str(place)}), tmp_path)
        assert process.code == 2
        assert "paths.warehouse" in process.result["error"]
        assert str(place.parent) in process.result["error"]


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    while not path.exists() and process.poll() is None:
        time.sleep(0.02)


def test_sigterm_in_an_ingest_ends_with_a_result_and_a_failed_run_and_the_next_one_repairs(tape, tmp_path):
    warehouse = tmp_path / "warehouse"
    settings = {"paths.warehouse": str(warehouse)}
    file = tmp_path / "result.json"
    process = subprocess.Popen(
        [*shell(*tape, settings=settings), "--result", str(file)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
    )  # fmt: skip
    wait_for(warehouse / "loans" / "_delta_log" / f"{0:020}.json", process)
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate()
    result = json.loads(stdout.splitlines()[-1])
    assert (process.returncode, result["status"], result["exit_code"]) == (1, "failed", 1), stderr
    assert "SIGTERM" in result["error"]
    assert json.loads(file.read_text("utf-8")) == result
    assert "Traceback" not in stderr
    assert ended(shell(*tape, settings=settings), tmp_path).result["loan_months"] == 1
    query = "SELECT status, error FROM runs ORDER BY finished_at; SELECT loan_id FROM loans"
    sql = shell("sql", query, "--format", "csv", settings=settings)
    answer = subprocess.run(sql, capture_output=True, text=True, env=ENVIRONMENT)
    assert answer.stdout == f"status,error\nfailed,{result['error']}\npublished,\nloan_id\nA\n", answer.stderr
