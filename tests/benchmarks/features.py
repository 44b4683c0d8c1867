"""The feature engine beside DuckDB, a month's increment beside a rebuild, and four times the loans.

``LOANBOOK_BENCH_LOANS`` sets the number of loans. A new month brings reports and no terms. Both sides are
warm: the first pair is run and thrown away.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import last_day
from loanbook.features.catalogue.registry import FEATURES as CATALOGUE
from loanbook.features.catalogue.registry import catalogue_id
from loanbook.features.catalogue.table import FEATURES
from loanbook.features.engine.partition import Plan
from loanbook.features.job import build_features
from loanbook.features.panel.inputs import PanelInputs
from loanbook.features.panel.rows import Stamp
from loanbook.features.panel.write import files_a_month, written_by_workers
from loanbook.settings.settings import load_settings
from loanbook.sources.publishing.publish import write_loans
from loanbook.sql.duckdb import delta_extension
from loanbook.tables.base import Table
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.loans import LOANS as LOANS_TABLE
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse import delta
from loanbook.warehouse.runs import Run
from tests.benchmarks import features_peer
from tests.benchmarks.features_book import START, write_book
from tests.benchmarks.frame import Result, median_ratio, paired

LOANS = int(os.environ.get("LOANBOOK_BENCH_LOANS", "120000"))
MONTHS = 50
HISTORY = 60  # months before the increment
PAIRS = 3
STALE = 3
THEMES = ("delinquency", "balance")
KEYS = ("source", "loan_id", "as_of_date", "reported")
NAMES = [item.name for item in CATALOGUE if item.theme in THEMES]
PANEL = replace(
    FEATURES,
    columns=tuple(column for column in FEATURES.columns if column.name in {*KEYS, *NAMES}),
    constraints={name: text for name, text in FEATURES.constraints.items() if name != "status_known"},
)
DEFAULTS = {
    "source": "'bench'", "slice": "'all'", "delivery": "'d1'", "loss_event": "false",
    "default_entry": "false", "default_exit": "false", "quality_flags": "array()", "line": "1",
    "known_on": "DATE'2015-01-31'",
}  # fmt: skip


def run() -> Result:
    """Time each comparison, three pairs of it, after one pair to warm up."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rows = write_book(root / "book", LOANS, MONTHS)
        quarter = write_book(root / "quarter", LOANS // 4, MONTHS)
        sides = _sides(root)
        paired(sides)  # warm, and then compared
        assert_equal(root / "ours", root / "duckdb")
        runs = paired(sides)
        increments = _increments(root)
    work = {
        "loan_months": rows, "quarter": quarter, "features": len(NAMES),
        "files_a_month": _files(LOANS),
    }  # fmt: skip
    ratios = {
        "over_duckdb": median_ratio(runs, "ours", "duckdb"),
        "growth_4x": median_ratio(runs, "ours", "ours_quarter"),
        "rebuild_over_increment": median_ratio(increments, "rebuild", "increment"),
    }
    targets = {"over_duckdb": 1.0, "growth_4x": 4.2, "rebuild_over_increment": 10}
    return Result("features", work, [*runs, *increments], ratios, targets)


def _sides(root: Path) -> dict[str, Callable[[], object]]:
    ours = {}
    for name, book in (("ours", "book"), ("ours_quarter", "quarter")):
        made = Run("bench", _settings(root / name), source="bench")
        _publish(made, root / book, 0, MONTHS - 1)
        ours[name] = partial(_panel, made, PANEL)
    peer = partial(_peer, root / "book", root / "duckdb")
    return {"ours": ours["ours"], "duckdb": peer, "ours_quarter": ours["ours_quarter"]}


def _settings(warehouse: Path) -> Any:
    return load_settings("local", [f"paths.warehouse={warehouse}"])


def _publish(made: Run, book: Path, first: int, last: int) -> None:
    """Write the months from ``first`` to ``last`` of a book as ingest would, and no other month's files."""
    spark, days = made.spark, [F.lit(last_day(START + month)) for month in (first, last)]
    performance = _filled(spark.read.parquet(str(book / "performance")), PERFORMANCE)
    rows = performance.where(F.col("as_of_date").between(*days)).repartition("as_of_date")
    made.replace(PERFORMANCE, rows, f"as_of_date >= DATE'{last_day(START + first)}'")
    loans = _filled(spark.read.parquet(str(book / "loans.parquet")), LOANS_TABLE)
    write_loans(made, loans, made.read_source(LOANS_TABLE, "bench"), "bench")
    made.replace(DELIVERIES, _delivery(made, START + last), "true")


def _filled(rows: DataFrame, table: Table) -> DataFrame:
    extra = {**DEFAULTS, "default_definition_id": f"'{load_settings('local').default_definition.id}'"}
    columns = [
        F.expr(f"`{column.name}`" if column.name in rows.columns else extra.get(column.name, "NULL"))
        .cast(column.type)
        .alias(column.name)
        for column in table.columns
    ]
    return rows.select(*columns)


def _delivery(made: Run, month: int) -> DataFrame:
    row = {
        "source": "bench", "delivery": "d1", "slice": "all", "file": "tape.csv", "kind": "performance",
        "sha256": "0", "scope": "full", "period_months": 1, "last_complete_month": last_day(month),
        "slice_holds": "months",
        "is_open": True, "history": "reported", "sampling": "population", "lines": 0, "rows": 0,
        "delinquent": 0,
        "published": 0, "quarantined": 0, "superseded": 0, "set_aside": 0, "erased": 0, "run_id": made.run_id,
    }  # fmt: skip
    values = tuple(row.get(name) for name in DELIVERIES.column_names)
    return made.spark.createDataFrame([values], DELIVERIES.schema)


def _panel(made: Run, table: Table) -> None:
    """Build the table from the Delta tables, in one commit."""
    spark, storage = made.spark, made.storage
    for each in (table, FEATURE_STATE):
        delta.create(spark, storage, each)
    inputs_of = (PERFORMANCE, LOANS_TABLE)
    performance, loans = (delta.read(spark, storage, each, made.outputs[each.name]) for each in inputs_of)
    plan = Plan(START, START + MONTHS - 1, STALE, 1)
    inputs = PanelInputs(performance, loans, plan, Stamp("bench", "bench", catalogue_id()))
    folders = [Path(storage.table_uri(each.name)) for each in (table, FEATURE_STATE)]
    receipts = written_by_workers(inputs, folders[0], folders[1], _files(loans.count()), table)
    for each, where in ((table, "true"), (FEATURE_STATE, "source = 'bench'")):
        made.replace_by_files(each, receipts, where)


def _files(loans: int) -> int:
    """Return how many files a month gets, as the job has it, and one for each core."""
    return max(os.cpu_count() or 1, files_a_month(loans))


def _peer(book: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    performance, loans = str(book / "performance" / "*.parquet"), str(book / "loans.parquet")
    features_peer.write(performance, loans, out, os.cpu_count() or 1)


def assert_equal(ours: Path, theirs: Path) -> None:
    """Check that both sides wrote the same values; doubles to 12 digits.

    Raises:
        ValueError: names the columns that differ, and in how many rows.
    """
    doubles = {column.name for column in PANEL.columns if column.type == "DOUBLE"}
    near = "abs(a.{0} - b.{0}) > 1e-12 * greatest(1, abs(b.{0})) OR (a.{0} IS NULL) != (b.{0} IS NULL)"
    tests = {
        name: (near if name in doubles else "a.{0} IS DISTINCT FROM b.{0}").format(name)
        for name in ("reported", *NAMES)
    }
    counts = ", ".join(f"count(*) FILTER ({test}) AS {name}" for name, test in tests.items())
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{delta_extension()}'")
        source = f"delta_scan('{ours / 'features'}')"
        found = connection.execute(
            "SELECT count(*) AS rows, count(a.loan_id) AS ours, count(b.loan_id) AS theirs, "
            f"{counts} FROM {source} a "
            f"FULL JOIN read_parquet('{theirs}/**/*.parquet') b USING (loan_id, as_of_date)"
        )
        names = [column[0] for column in found.description]
        values: Mapping[str, int] = dict(zip(names, found.fetchone() or (), strict=True))
    differ = {name: values[name] for name in tests if values[name]}
    if differ or not values["rows"] == values["ours"] == values["theirs"]:
        raise ValueError(f"the same rows are required of both sides, found {dict(values)}")


def _increments(root: Path) -> list[dict[str, Any]]:
    """Return the seconds of whole jobs: a new month after 60 or more, and a rebuild of as many."""
    book, settings = root / "history", _settings(root / "jobs")
    write_book(book, LOANS, HISTORY + PAIRS + 1)
    _publish_run(settings, book, 0, HISTORY - 1)
    _seconds(settings, None)
    runs = []
    for pair in range(PAIRS + 1):
        month = HISTORY + pair
        _publish_run(settings, book, month, month)
        runs.append(
            {"side": "increment", "pair": pair, "seconds": _seconds(settings, last_day(START + month))}
        )
        runs.append({"side": "rebuild", "pair": pair, "seconds": _seconds(settings, None)})
    return [run for run in runs if run["pair"]]  # the first pair warms up


def _publish_run(settings: Any, book: Path, first: int, last: int) -> None:
    made = Run("ingest_tapes", settings, source="bench")
    _publish(made, book, first, last)
    made.finish({})


def _seconds(settings: Any, as_of: date | None) -> float:
    """Return the seconds of build-features, of every month or of one more."""
    started = time.perf_counter()
    made = Run("build_features", settings, as_of=as_of, source="bench")
    made.finish(build_features(made))
    return time.perf_counter() - started
