import json
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from loanbook.arguments import Command
from loanbook.errors import InputError, LoanbookError
from loanbook.maintenance.settle_changes import settle_changes
from loanbook.run_job import run_job
from loanbook.sql.duckdb import Warehouse
from loanbook.tables.macro import MACRO
from loanbook.tables.runs import RUNS
from loanbook.warehouse import delta

ROW = ("m", "US", date(2020, 1, 31), "hpi", date(2020, 3, 31), 100.0, "d")


def macro(run, *values: float):
    schema = MACRO.schema
    return run.spark.createDataFrame(
        [(*ROW[:3], f"s{k}", ROW[4], v, "d") for k, v in enumerate(values)], schema
    )


def values(run) -> list[float]:
    return sorted(row["value"] for row in run.read(MACRO, made_by="ingest-macro").collect())


def publish(run, *numbers: float) -> None:
    run.replace(MACRO, macro(run, *numbers), "source = 'm'")
    run.count("rows", len(numbers))
    run.finish({"about": "test"})


def test_a_reader_sees_the_last_published_version_and_never_a_later_commit(make_run):
    publish(make_run(), 1.0)
    unfinished = make_run()
    unfinished.replace(MACRO, macro(unfinished, 2.0, 3.0), "source = 'm'")
    assert values(make_run()) == [1.0]
    unfinished.finish({})
    assert values(make_run()) == [2.0, 3.0]


def crashed(run, *numbers: float) -> None:
    """Leave commits that no run publishes, as a killed run does."""
    run.replace(MACRO, macro(run, *numbers), f"source = 'm' AND value < {len(numbers)}")
    run.release()


def test_what_a_run_left_unpublished_is_undone_before_another_writes(make_run):
    publish(make_run(), 1.0)
    crashed(make_run(), 0.5)
    crashed(make_run(), 0.6, 0.7)
    again = make_run()
    again.prepare(MACRO)
    assert [row["value"] for row in latest(again, MACRO).collect()] == [1.0]
    again.append(MACRO, macro(again, 3.0, 4.0).where("series = 's1'"))
    again.finish({})
    assert values(make_run()) == [1.0, 4.0]


def test_rows_that_another_program_moved_are_read_where_they_are_now(make_run):
    publish(make_run(), 1.0, 2.0)
    for folder in make_run().storage.table_folder("macro").glob("source=m"):
        assert len(list(folder.glob("*.parquet"))) == 2
    run = make_run()
    name = run.storage.spark_name("macro")
    run.spark.sql(f"OPTIMIZE {name}")
    with_conf(
        run.spark, "spark.databricks.delta.retentionDurationCheck.enabled", f"VACUUM {name} RETAIN 0 HOURS"
    )
    reader = make_run()
    assert values(reader) == [1.0, 2.0]
    assert reader.inputs["macro"] > reader.published["macro"]
    assert Warehouse(reader.storage).ask("SELECT COUNT(*) FROM macro").rows == [(2,)]
    publish(make_run(), 5.0)
    assert values(make_run()) == [5.0]


def with_conf(spark, key, statement):
    spark.conf.set(key, "false")
    try:
        spark.sql(statement)
    finally:
        spark.conf.unset(key)


def test_rows_that_another_program_changed_are_not_shown_nor_undone_until_someone_decides(make_run, caplog):
    publish(make_run(), 1.0, 2.0)
    run = make_run()
    run.spark.sql(f"DELETE FROM {run.storage.spark_name('macro')} WHERE value = 1.0")
    assert values(make_run()) == [1.0, 2.0]
    assert Warehouse(run.storage).ask("SELECT COUNT(*) FROM macro").rows == [(2,)]
    with pytest.raises(InputError, match=r"(?s)DELETE at .*Delta-Lake.*settle-changes --table macro"):
        publish(make_run(), 3.0)
    for undo, expected in ((False, [2.0]), (True, [2.0])):
        settled = make_run()
        assert settle_changes(settled, table="macro", take=not undo, undo=undo)["commits"]
        settled.finish({})
        assert values(make_run()) == expected
        run.spark.sql(f"DELETE FROM {run.storage.spark_name('macro')} WHERE value = 2.0")
    assert values(make_run()) == [2.0]


def test_a_run_beside_which_another_wrote_is_not_published(make_run):
    publish(make_run(), 1.0)
    slow, quick = make_run(), make_run()
    slow.replace(MACRO, macro(slow, 2.0), "source = 'm'")
    publish(quick, 3.0)
    with pytest.raises(LoanbookError, match="took over the lease of tapes"):
        slow.finish({})
    assert values(make_run()) == [3.0]


def test_a_commit_of_another_program_between_those_of_a_run_stops_it(make_run):
    publish(make_run(), 1.0, 2.0)
    run = make_run()
    run.replace(MACRO, macro(run, 3.0, 4.0), "source = 'm'")
    run.spark.sql(f"DELETE FROM {run.storage.spark_name('macro')} WHERE value = 3.0")
    with pytest.raises(LoanbookError, match="was changed beside this run: version .*DELETE"):
        run.finish({})
    assert values(make_run()) == [1.0, 2.0]


def test_a_version_that_is_no_longer_kept_is_named_with_its_repair(make_run):
    publish(make_run(), 1.0)
    publish(make_run(), 2.0)
    crashed(make_run(), 0.5)
    run = make_run()
    name = run.storage.spark_name("macro")
    run.spark.sql(f"DELETE FROM {name}")
    with_conf(
        run.spark, "spark.databricks.delta.retentionDurationCheck.enabled", f"VACUUM {name} RETAIN 0 HOURS"
    )
    with pytest.raises(InputError, match=r"(?s)macro at version \d.*settle-changes --table macro --take"):
        Warehouse(run.storage).ask("SELECT * FROM macro")
    with pytest.raises(InputError, match=r"(?s)macro at version \d.*settle-changes --table macro --take"):
        settle_changes(make_run(), table="macro", undo=True)
    for file in run.storage.table_folder("macro").rglob("*.parquet"):
        file.unlink()
    macro(run, 7.0).write.format("delta").mode("append").save(run.storage.table_uri("macro"))
    next(run.storage.table_folder("macro").rglob("*.parquet")).unlink()
    with pytest.raises(InputError, match="1 of 1 are not there"):
        settle_changes(make_run(), table="macro", take=True)


def test_runs_stand_in_order_in_the_hour_when_clocks_go_back(make_run, monkeypatch):
    try:
        with monkeypatch.context() as patched:
            patched.setenv("TZ", "Europe/Berlin")
            time.tzset()
            for minute in (50, 75):  # after midnight in UTC: ten to three, and a quarter past two
                ended = datetime(2025, 10, 26, tzinfo=UTC) + timedelta(minutes=minute)
                patched.setattr("loanbook.warehouse.runs.time", SimpleNamespace(time=ended.timestamp))
                publish(make_run(f"job_{minute}"), float(minute))
            found = [row["job"] for row in make_run().published_runs]
    finally:
        time.tzset()
    assert found == ["job_50", "job_75"]


def test_the_runs_row_names_inputs_outputs_and_counts(make_run):
    first = make_run("ingest_macro", source="m")
    publish(first, 1.0, 2.0)
    second = make_run("reader")
    assert values(second) == [1.0, 2.0]
    second.metric("x", 0.5)
    result = second.finish({"note": "n"})
    rows = _runs(second)
    assert rows["ingest_macro"]["outputs"] == {"macro": first.outputs["macro"]}
    assert rows["ingest_macro"]["counts"] == {"rows": 2}
    assert rows["reader"]["inputs"] == {"macro": first.outputs["macro"]}
    assert rows["reader"]["metrics"] == {"x": 0.5}
    assert json.loads(rows["reader"]["details"]) == {"note": "n"}
    assert result["status"] == "published"
    assert rows["reader"]["settings_hash"] == second.settings.hash()


def latest(run, table):
    version = delta.latest_version(run.spark, run.storage, table)
    assert version is not None
    return delta.read(run.spark, run.storage, table, version)


def _runs(run):
    return {row["job"]: row for row in latest(run, RUNS).collect()}


def failing(run):
    run.replace(MACRO, macro(run, 9.0), "source = 'm'")
    raise RuntimeError("disk full")


def refusing(run):
    run.read(MACRO, made_by="ingest-macro")
    raise InputError(required="a", found="b", do="c")


def test_a_failed_run_is_recorded_and_publishes_nothing_and_bad_input_leaves_no_row(make_run):
    publish(make_run("first"), 1.0)
    with pytest.raises(LoanbookError, match="RuntimeError: disk full"):
        run_job(make_run("failing"), Command("x", "", f"{__name__}:failing"), {})
    with pytest.raises(InputError):
        run_job(make_run("refusing"), Command("x", "", f"{__name__}:refusing"), {})
    reader = make_run()
    assert values(reader) == [1.0]
    rows = _runs(reader)
    assert sorted(rows) == ["failing", "first"]
    assert rows["failing"]["status"] == "failed"
    assert rows["failing"]["error"].startswith("RuntimeError: disk full (at ")
    assert rows["failing"]["outputs"] == {}


def test_reading_what_nobody_made_names_the_job_to_run(make_run):
    with pytest.raises(InputError, match="run ingest-macro first"):
        make_run().read(MACRO, made_by="ingest-macro")


def test_the_only_source_is_found_and_an_unknown_or_ambiguous_one_refused(make_run):
    publish(make_run(), 1.0)
    assert make_run().only_source(MACRO, made_by="ingest-macro") == "m"
    with pytest.raises(InputError, match="'other', and these in macro: m"):
        make_run(source="other").only_source(MACRO, made_by="ingest-macro")


def test_commits_carry_their_lineage(make_run):
    run = make_run()
    publish(run, 1.0)
    history = run.spark.sql(f"DESCRIBE HISTORY {run.storage.spark_name('macro')} LIMIT 1").first()
    metadata = json.loads(history["userMetadata"])
    assert metadata["run_id"] == run.run_id
    assert set(metadata) == {"run_id", "job", "code_version", "settings_hash", "inputs"}


def test_a_warehouse_of_another_version_is_refused_before_anything_is_read(make_run):
    run = make_run()
    delta.create(run.spark, run.storage, replace(RUNS, columns=RUNS.columns[:-1]))
    with pytest.raises(InputError, match=r"(?s)table runs with the columns .*new folder"):
        _ = run.published
