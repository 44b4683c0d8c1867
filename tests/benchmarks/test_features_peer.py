"""The peer of the features benchmark against the engine: every column of every row, and its type."""

import math
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loanbook.book.months import last_day, month_number
from loanbook.features.catalogue.registry import FEATURES
from loanbook.features.engine.partition import Plan
from loanbook.features.panel.rows import ARROW_TYPES
from tests.benchmarks.features_book import START, write_book
from tests.benchmarks.features_peer import write
from tests.features.partitions import features_of, partition_of

Rows = list[dict[str, Any]]

LOANS, MONTHS, STALE = 300, 30, 3
KEYS = {"loan_id": "STRING", "as_of_date": "DATE", "reported": "BOOLEAN"}
COLUMNS = KEYS | {item.name: item.type for item in FEATURES if item.theme in ("delinquency", "balance")}


def by_engine(performance: Rows, loans: Rows, last_month: int) -> Rows:
    reports = [row | {"default_entry": False, "quality_flags": []} for row in performance]
    terms = [row | {"quality_flags": []} for row in loans]
    return features_of(partition_of(reports, terms, Plan(START, last_month, STALE, 1)), COLUMNS)


def by_duckdb(folder: Path, last_month: int) -> pa.Table:
    out = folder / "out"
    write(f"{folder}/performance/*.parquet", f"{folder}/loans.parquet", out, 2, str(last_day(last_month)))
    return pa.concat_tables([pq.read_table(file) for file in sorted(out.rglob("*.parquet"))])


def differences(found: Rows, expected: Rows) -> dict[str, Any]:
    """Return the first difference of each column: key, found and expected."""
    assert len(found) == len(expected)
    pairs = list(zip(sorted(found, key=key), sorted(expected, key=key), strict=True))
    return {
        name: (key(right), left[name], right[name])
        for name in COLUMNS
        for left, right in reversed(pairs)
        if not same(left[name], right[name])
    }


def key(row: dict[str, Any]) -> tuple[str, date]:
    return row["loan_id"], row["as_of_date"]


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-12)
    return bool(left == right)


def read(folder: Path) -> tuple[Rows, Rows]:
    """Return the rows of a book: performance and loans."""
    months = [pq.read_table(file) for file in sorted((folder / "performance").iterdir())]
    return pa.concat_tables(months).to_pylist(), pq.read_table(folder / "loans.parquet").to_pylist()


def roughened(folder: Path, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Write holes, exits, returns and missing values into a book; return its rows."""
    performance, loans = read(folder)
    hole = {row["loan_id"]: (int(rng.integers(0, MONTHS)), int(rng.integers(0, 18))) for row in loans}
    rows = [spoiled(row, rng) for row in performance if not in_hole(row, *hole[row["loan_id"]])]
    terms = [
        row | missing(row, ("original_upb", "original_rate", "original_term", "credit_limit"), 0.1, rng)
        for row in loans
    ]
    terms = [row | ({"original_rate": Decimal(0)} if rng.random() < 0.1 else {}) for row in terms]
    schemas = [
        pq.read_schema(file) for file in (next((folder / "performance").iterdir()), folder / "loans.parquet")
    ]
    rmtree(folder / "performance")
    (folder / "performance").mkdir()
    pq.write_table(pa.Table.from_pylist(rows, schemas[0]), folder / "performance" / "all.parquet")
    pq.write_table(pa.Table.from_pylist(terms, schemas[1]), folder / "loans.parquet")
    return rows, terms


def in_hole(row: dict[str, Any], first: int, months: int) -> bool:
    return 0 <= month_number(row["as_of_date"]) - START - first < months


def spoiled(row: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    names = ("upb", "rate", "months_delinquent", "modified", "payment", "statement", "credit_limit")
    state = rng.choice(["inactive", "prepaid", row["state"]], p=[0.05, 0.02, 0.93])
    statement = row["statement"] and row["statement"] * int(rng.choice([-1, 0, 1], p=[0.02, 0.02, 0.96]))
    known = {
        "state": str(state),
        "statement": statement,
        "modified": bool(rng.random() < 0.05),
        "default_status": "performing",
    }
    return row | known | missing(row | known, names, 0.05, rng)


def missing(
    row: dict[str, Any], names: Sequence[str], share: float, rng: np.random.Generator
) -> dict[str, Any]:
    return {name: None if rng.random() < share else row[name] for name in names}


def assert_the_same(folder: Path, performance: Rows, loans: Rows, last_month: int) -> Rows:
    """Compare every column of every row and its type; return the engine's rows."""
    expected, found = by_engine(performance, loans, last_month), by_duckdb(folder, last_month)
    types = dict(zip(found.column_names, found.schema.types, strict=True))
    assert list(types.items()) == [(name, ARROW_TYPES[kind]) for name, kind in COLUMNS.items()]
    assert differences(found.to_pylist(), expected) == {}
    return expected


def test_duckdb_gives_the_features_of_the_engine(tmp_path: Path) -> None:
    write_book(tmp_path, LOANS, MONTHS)
    rows = assert_the_same(tmp_path, *read(tmp_path), START + MONTHS - 1)
    assert constant(rows) == ["modified"]


def test_duckdb_gives_the_features_of_a_rough_book(tmp_path: Path) -> None:
    write_book(tmp_path, LOANS, MONTHS)
    book = roughened(tmp_path, np.random.default_rng(7))
    rows = assert_the_same(tmp_path, *book, START + MONTHS + 1)
    assert constant(rows) == []


def constant(rows: Rows) -> list[str]:
    return [name for name in COLUMNS if len({row[name] for row in rows}) == 1]
