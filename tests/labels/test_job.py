"""The job build-labels on a published book that grows and is corrected."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from loanbook.book.months import last_day, month_number
from loanbook.labels.cohorts import Calendar
from loanbook.labels.fixed_horizon import label_rows
from loanbook.labels.job import build_labels
from loanbook.labels.outcomes import outcome_rows
from loanbook.tables.base import Table
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.labels import LABELS
from loanbook.tables.outcomes import OUTCOMES
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse import delta
from loanbook.warehouse.runs import Run
from tests.features.books import START, BookLoan, Rows, frame, performance_of
from tests.features.oracle import STALE
from tests.makers import MakeRun, run_maker

LAST = START + 27
BOOK = [
    BookLoan("a", 0, ("current", "dpd30", None, "dpd60", "dpd90") + ("current",) * 22),
    BookLoan("b", 1, ("current",) * 4 + ("prepaid",)),
    BookLoan("c", 2, ("current",) * 3),
    BookLoan("d", 5, ("current",) * 16 + ("removed",)),
    BookLoan("e", 7, ("current",) * 6 + (None,) * 5 + ("current",) * 9 + ("dpd90",)),
]
ROWS = performance_of(BOOK)


def deliver(make_run: MakeRun, rows: Rows, last_month: int, where: str = "true") -> None:
    """Publish performance as an ingest that replaces the rows that meet ``where``."""
    run = make_run("ingest_tapes", source="tape")
    delivery = {
        "source": "tape", "delivery": "d1", "slice": "all", "file": "tape.csv", "kind": "performance",
        "sha256": "0", "scope": "full", "period_months": 1, "last_complete_month": last_day(last_month),
        "slice_holds": "months", "is_open": True, "history": "reported", "sampling": "population",
        "run_id": run.run_id,
        "lines": 0, "rows": 0, "delinquent": 0, "published": 0, "quarantined": 0, "superseded": 0,
        "set_aside": 0, "erased": 0,
    }  # fmt: skip
    run.replace(DELIVERIES, frame(run.spark, DELIVERIES, [delivery]), "true")
    run.replace(PERFORMANCE, frame(run.spark, PERFORMANCE, rows), where)
    run.finish({})


def build(make_run: MakeRun, *overrides: str) -> dict[str, Any]:
    run = make_run("build_labels", *overrides, source="tape")
    return run.finish(build_labels(run))


def of_month(rows: Rows, month: int) -> Rows:
    return [row for row in rows if month_number(row["as_of_date"]) == month]


def until(month: int) -> Rows:
    return [row for row in ROWS if month_number(row["as_of_date"]) <= month]


def deliver_month(make_run: MakeRun, rows: Rows, month: int, last_month: int | None = None) -> None:
    where = f"as_of_date = DATE'{last_day(month)}'"
    deliver(make_run, of_month(rows, month), month if last_month is None else last_month, where)


def published(run: Run, table: Table) -> Rows:
    rows = run.read(table, made_by="test").where("source = 'tape'").collect()
    return sorted((row.asDict() for row in rows), key=lambda row: [str(row[name]) for name in table.key])


def assert_as_built_anew(make_run: MakeRun, last_month: int, stale_months: int = STALE) -> None:
    run = make_run()
    performance = run.read(PERFORMANCE, made_by="test").where("source = 'tape'")
    labels = label_rows(performance, Calendar(last_month, stale_months, 1))
    for table, anew in ((LABELS, labels), (OUTCOMES, outcome_rows(performance, last_month))):
        rows = sorted(
            (row.asDict() for row in anew.collect()), key=lambda row: [str(row[k]) for k in table.key]
        )
        assert published(run, table) == rows


@pytest.fixture(scope="module")
def first_delivery(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of the first months, without labels."""
    folder = tmp_path_factory.mktemp("first")
    deliver(run_maker(folder), until(START + 14), START + 14)
    return folder


@pytest.fixture
def delivered(first_delivery: Path, tmp_path: Path) -> None:
    """Make the warehouse of ``make_run`` a copy of that of the first months."""
    shutil.copytree(first_delivery, tmp_path, dirs_exist_ok=True)


@pytest.fixture(scope="module")
def labelled_template(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of 21 months and their labels."""
    folder = tmp_path_factory.mktemp("labelled")
    deliver(run_maker(folder), until(START + 20), START + 20)
    build(run_maker(folder))
    return folder


@pytest.fixture
def labelled(labelled_template: Path, tmp_path: Path) -> None:
    """Make the warehouse of ``make_run`` a copy of that of 21 months and their labels."""
    shutil.copytree(labelled_template, tmp_path, dirs_exist_ok=True)


@pytest.mark.usefixtures("delivered")
def test_build_labels_after_a_crash_and_again_gives_the_same_rows(make_run: MakeRun) -> None:
    build_labels(make_run("build_labels", source="tape"))  # not finished, as by a crash: nothing is published
    assert not make_run().exists(LABELS)
    result = build(make_run)
    assert (result["months_written"], result["months_by_reason"]) == (15, {"new": 15})
    assert_as_built_anew(make_run, START + 14)
    version = make_run().published[LABELS.name]
    deliver(make_run, until(START + 14), START + 14)  # the same rows in other files
    again = build(make_run)
    assert (again["months_written"], again["months_by_reason"]) == (0, {})
    assert make_run().published[LABELS.name] == version
    same = ("label_status", "default_12m", "default_rate_12m", "loan_months", "outcomes")
    assert {name: again[name] for name in same} == {name: result[name] for name in same}
    assert sum(result["label_status"].values()) == len(published(make_run(), LABELS))
    assert result["default_12m"] == sum(row["default_12m"] or 0 for row in published(make_run(), LABELS))


def test_labels_built_month_by_month_are_those_of_a_rebuild(make_run: MakeRun) -> None:
    deliver(make_run, until(START + 23), START + 23)
    build(make_run)
    for month in (START + 24, START + 25):
        deliver_month(make_run, ROWS, month)
        result = build(make_run)
        assert result["months_by_reason"] == {"matured": 4, "new": 1}
        assert result["loan_months"] == len(published(make_run(), LABELS))
    deliver(make_run, ROWS, LAST)  # two months at once
    assert build(make_run)["months_by_reason"] == {"matured": 7, "new": 2}
    assert_as_built_anew(make_run, LAST)
    history = delta.read(make_run().spark, make_run().storage, LABELS, make_run().published[LABELS.name])
    assert len(history.inputFiles()) == history.select("as_of_date").distinct().count()


@pytest.mark.usefixtures("labelled")
def test_a_correction_writes_the_cohorts_that_are_made_of_it(make_run: MakeRun) -> None:
    told = [{**row, "default_entry": row["loan_id"] == "a"} for row in ROWS]
    deliver_month(make_run, told, START + 15, START + 20)
    # Within the year after cohorts 3 to 8 and the half year after 9 to 14; 15 to 18 may know a loan by it.
    assert build(make_run)["months_by_reason"] == {"corrected": 16}
    assert_as_built_anew(make_run, START + 20)
    deliver_month(make_run, [], START, START + 21)
    result = build(make_run)
    assert result["months_by_reason"] == {"corrected": 4, "matured": 3, "new": 1}
    assert date(2020, 1, 31) not in {row["as_of_date"] for row in published(make_run(), LABELS)}
    assert_as_built_anew(make_run, START + 21)


@pytest.mark.usefixtures("delivered")
def test_another_source_is_neither_read_nor_touched(make_run: MakeRun) -> None:
    build(make_run)
    run = make_run("build_labels", source="other")
    for table in (PERFORMANCE, LABELS):
        rows = [{**row.asDict(), "source": "other"} for row in run.read(table, made_by="test").collect()]
        run.replace(table, frame(run.spark, table, rows), "source = 'other'")
    run.finish({})
    assert build(make_run)["months_written"] == 0
    deliver_month(make_run, ROWS, START + 15)
    build(make_run)
    assert_as_built_anew(make_run, START + 15)
    labels = make_run().read(LABELS, made_by="test").where("source = 'other'")
    assert labels.count() == len(rows)


@pytest.mark.usefixtures("labelled")
def test_other_settings_or_fewer_months_build_every_cohort(make_run: MakeRun) -> None:
    assert build(make_run, "book.stale_months=1")["months_by_reason"] == {"rebuilt": 21}
    assert_as_built_anew(make_run, START + 20, stale_months=1)
    deliver_month(make_run, ROWS, START + 20, START + 17)
    assert build(make_run, "book.stale_months=1")["months_by_reason"] == {"rebuilt": 18}
    assert_as_built_anew(make_run, START + 17, stale_months=1)
