"""What has changed: months by their files, rows by their hash, and the run that was the last."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from loanbook.book.months import last_day
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse import delta
from loanbook.warehouse.changes import (
    LastRun,
    changed_months,
    changed_rows,
    content_hash_expr,
    last_inputs,
    month_digests,
)
from loanbook.warehouse.runs import Run
from tests.features.books import START, BookLoan, Rows, frame, performance_of

MakeRun = Callable[..., Run]

ROWS = performance_of([BookLoan("a", 0, ("current",) * 4), BookLoan("b", 1, ("current",) * 3)])
JANUARY, FEBRUARY, MARCH, APRIL = (last_day(START + k) for k in range(4))


def written(run: Run, rows: Rows, where: str) -> int:
    run.replace(PERFORMANCE, frame(run.spark, PERFORMANCE, rows), where)
    return run.outputs[PERFORMANCE.name]


def months_between(run: Run, before: int, after: int) -> set[date] | None:
    return changed_months(run.spark, run.storage, PERFORMANCE, before, after)


def test_changed_months_are_those_whose_files_differ(make_run: MakeRun) -> None:
    run = make_run()
    first = written(run, ROWS[:3], "true")
    march = [row for row in ROWS if row["as_of_date"] == MARCH]
    second = written(run, march, f"as_of_date = DATE'{MARCH}'")
    third = written(run, [], f"as_of_date = DATE'{FEBRUARY}'")
    other = [{**row, "source": "other"} for row in ROWS if row["as_of_date"] == APRIL]
    fourth = written(run, other, "source = 'other'")
    assert months_between(run, first, first) == set()
    assert months_between(run, first, second) == {MARCH}
    assert months_between(run, first, third) == {FEBRUARY, MARCH}
    assert months_between(run, third, fourth) == {APRIL}
    assert months_between(run, first, fourth) == {FEBRUARY, MARCH, APRIL}
    assert months_between(run, 99, fourth) is None


def test_rows_moved_between_files_change_no_month(make_run: MakeRun) -> None:
    run = make_run()
    first = written(run, ROWS, "true")
    written(run, [{**row, "source": "other"} for row in ROWS], "source = 'other'")
    second = run.outputs[PERFORMANCE.name]
    table = DeltaTable.forPath(run.spark, run.storage.table_uri(PERFORMANCE.name))
    table.optimize().executeCompaction()
    optimised = delta.latest_version(run.spark, run.storage, PERFORMANCE)
    assert optimised == second + 1
    assert months_between(run, second, optimised) == set()
    assert months_between(run, first, optimised) == {JANUARY, FEBRUARY, MARCH, APRIL}


def test_months_may_all_have_changed_where_a_commit_is_gone_from_the_log(make_run: MakeRun) -> None:
    run = make_run()
    first = written(run, ROWS, "true")
    versions = [written(run, ROWS[k:], "true") for k in (1, 2)]
    uri = run.storage.table_uri(PERFORMANCE.name)
    DeltaTable.forPath(run.spark, uri)._jdt.deltaLog().checkpoint()
    (Path(uri) / "_delta_log" / f"{versions[0]:020d}.json").unlink()
    assert months_between(run, first, versions[1]) is None
    assert months_between(run, *versions) == {FEBRUARY, MARCH, APRIL}


def test_restoring_a_version_restores_its_files(make_run: MakeRun) -> None:
    run = make_run()
    first = written(run, ROWS, "true")
    run.finish({})
    written(make_run(), ROWS[:2], "true")
    again = make_run()
    again.prepare(PERFORMANCE)
    assert months_between(again, first, first + 2) == set()


def test_changed_rows_are_null_safe(spark: SparkSession) -> None:
    schema = "k string, a int, b int, tags array<string>, named map<string, double>"
    before = [
        ("same", 1, None, ["x", None], {"m": 1.0}), ("null_moves", 1, None, [], {}),
        ("null_now", 1, 2, [], {}), ("tag", 1, 2, ["x, y"], {}), ("map", 1, 2, [], {"m": 1.0}),
        ("gone", 1, 2, [], {}), ("untracked", 1, 2, None, None), ("no_array", 1, 2, [], {}),
    ]  # fmt: skip
    after = [
        ("same", 1, None, ["x", None], {"m": 1.0}), ("null_moves", None, 1, [], {}),
        ("null_now", 1, None, [], {}), ("tag", 1, 2, ["x", "y"], {}), ("map", 1, 2, [], {"m": None}),
        ("new", None, None, None, None), ("untracked", 1, 2, None, None), ("no_array", 1, 2, None, {}),
    ]  # fmt: skip
    old, new = spark.createDataFrame(before, schema), spark.createDataFrame(after, schema)
    found = changed_rows(old, new, ["k"], ["a", "b", "tags", "named"])
    assert found.columns == ["k"]
    changed = {"null_moves", "null_now", "tag", "map", "gone", "new", "no_array"}
    assert {row["k"] for row in found.collect()} == changed
    assert {row["k"] for row in changed_rows(old, new, ["k"], ["a"]).collect()} == {
        "null_moves", "gone", "new",
    }  # fmt: skip
    assert new.where(content_hash_expr(new, ["a", "b"]).isNull()).count() == 0


def test_a_months_digest_changes_with_its_rows_and_not_with_their_order(spark: SparkSession) -> None:
    columns = ("loan_id", "state")
    first = month_digests(frame(spark, PERFORMANCE, ROWS), columns)
    assert month_digests(frame(spark, PERFORMANCE, ROWS[::-1]).repartition(3), columns) == first
    changed = [{**row, "state": "dpd30"} if row["as_of_date"] == MARCH else row for row in ROWS]
    second = month_digests(frame(spark, PERFORMANCE, changed), columns)
    assert {month for month in first if first[month] != second[month]} == {MARCH}
    assert month_digests(frame(spark, PERFORMANCE, changed), ["loan_id"]) == month_digests(
        frame(spark, PERFORMANCE, ROWS), ["loan_id"]
    )


def test_the_last_published_run_of_a_job_and_source(make_run: MakeRun) -> None:
    assert last_inputs(make_run("build_labels"), "tape") is None
    run = make_run("build_labels", source="tape")
    written(run, ROWS, "true")
    run.inputs["deliveries"] = 7
    run.evidence["kept"] = {"x": 1}
    run.finish({"last_complete_month": "2020-04-30"})
    for options in ({"source": "other"}, {"source": "tape", "job": "ingest_tapes"}):
        other = make_run(options.pop("job", "build_labels"), **options)
        other.inputs["deliveries"] = 8
        other.finish({})
    failed = make_run("build_labels", source="tape")
    failed.inputs["deliveries"] = 9
    failed.finish({}, error="broken")
    details = {"kept": {"x": 1}, "last_complete_month": "2020-04-30"}
    expected = LastRun(
        run.run_id, None, {"deliveries": 7}, {"performance": run.outputs["performance"]}, details
    )
    assert last_inputs(make_run("build_labels"), "tape") == expected
    assert last_inputs(make_run("build_features"), "tape") is None
