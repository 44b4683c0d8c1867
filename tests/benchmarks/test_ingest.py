"""The parts of the ingest's benchmark that need neither Spark nor a clock."""

import sys

import pytest

from loanbook.sources.mapping.file_spec import FieldType
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.mapping_files import load_mapping
from tests.benchmarks.frame import paired
from tests.benchmarks.ingest import assert_same_rows, rows_of
from tests.benchmarks.ingest_peers import by_duckdb, read_csv_sql, typed_sql
from tests.benchmarks.processes import EVERY, reported
from tests.sources.tapes import month, terms, write_freddie


def test_what_a_side_measures_goes_into_its_run():
    runs = paired({"ours": lambda: {"rows": 3}, "peer": lambda: None}, pairs=3)
    assert [run.get("rows") for run in runs if run["side"] == "ours"] == [3, 3, 3]
    assert "rows" not in runs[1]


def test_a_process_reports_its_last_line_and_its_memory():
    code = f"import json, time; print(1); time.sleep({2 * EVERY}); print(json.dumps(dict(lines=5)))"
    done = reported([sys.executable, "-c", code])
    assert done["lines"] == 5
    assert done["driver_mib"] == done["python_mib"] > 0 == done["jvm_mib"]


def test_a_process_that_fails_stops_the_benchmark():
    with pytest.raises(RuntimeError, match="exit code 7"):
        reported([sys.executable, "-c", "raise SystemExit(7)"])


def test_duckdb_reads_every_line_of_both_kinds_of_file(tmp_path):
    months = [month("A", "201904", "0", {15: "U"}), month("A", "201905", "XX"), month("B", "201904", "RA")]
    tape = write_freddie(tmp_path / "tape", [terms("A"), terms("B")], months)
    by_duckdb(str(tape), tmp_path / "out")
    assert rows_of(tmp_path / "out") == 5
    assert rows_of(tmp_path / "out" / "performance") == 3


def test_every_field_is_read_typed(tmp_path):
    performance = load_mapping(TapeMapping, "simulated").files[1]
    (tmp_path / "a.txt").write_text(month("A", "201904") + "\n")
    reader = read_csv_sql(performance, [tmp_path / "a.txt"])
    assert "'current_upb': 'DECIMAL(16,2)'" in reader
    assert "'reporting_period': 'DATE'" in reader
    assert "'net_sale_proceeds': 'STRING'" in reader  # 'U' stands for unknown, and would stop the reader
    assert typed_sql("age", 4, FieldType(type="int")) == "try_cast(get(parts, 4) AS INT) AS age"
    assert "concat_ws('-'" in typed_sql("month", 1, FieldType(type="date", format="yyyyMM"))


def test_sides_that_took_in_different_rows_are_refused():
    runs = [{"side": "ours", "rows": 5}, {"side": "ours_fifth", "rows": 1}, {"side": "duckdb", "rows": 5}]
    assert_same_rows(runs)
    with pytest.raises(ValueError, match="the same rows"):
        assert_same_rows([*runs, {"side": "plain_spark", "rows": 4}])
