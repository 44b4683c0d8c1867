"""Rows of Delta tables, read by DuckDB: Spark takes a second to plan what it reads of a few rows."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from loanbook.sql.duckdb import PUBLISHED, delta_extension
from loanbook.tables.base import Table
from loanbook.warehouse.storage import Storage
from loanbook.warehouse.visible_version import standing_of_files


@cache
def duck() -> duckdb.DuckDBPyConnection:
    """Return a connection that all tests share."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"LOAD '{delta_extension()}'")
    return connection


def published_rows(storage: Storage, table: Table, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return columns of a published table, in order of its key."""
    runs = PUBLISHED.replace("FROM runs", f"FROM {storage.duckdb_scan('runs')}")
    published = dict(duck().execute(runs).fetchall())[table.name]
    found = standing_of_files(Path(storage.table_uri(table.name)), table.name, published)
    order = ", ".join(f"{name} NULLS FIRST" for name in table.key)
    scan = storage.duckdb_scan(table.name, found.version)
    rows = duck().execute(f"SELECT {', '.join(names)} FROM {scan} ORDER BY {order}").fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]
