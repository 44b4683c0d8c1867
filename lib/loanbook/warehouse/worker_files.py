"""Files that workers write into a Delta table, and the one transaction that makes them part of it.

Spark's own Parquet writer takes longer over a wide panel than all that computes it. Here a worker that
holds rows as Arrow writes them itself, checks the table's constraints on the way, and returns a receipt;
the driver then commits the receipts by Delta's own transaction, so that a reader sees all of them or none,
and any other commit to the table since the workers began makes this one fail. Files without a commit are
never read, and VACUUM removes them.
"""

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from loanbook.errors import LoanbookError
from loanbook.tables.base import Table
from loanbook.tables.columns import of_source
from loanbook.warehouse.delta import no_files
from loanbook.warehouse.session import java_class

DELTA = "org.apache.spark.sql.delta"
RECEIPT = "table STRING, path STRING, partition STRING, rows BIGINT, size BIGINT, stats STRING"
RECEIPT_FIELDS = ("table", "path", "partition", "rows", "size", "stats")
# A dictionary of ratios and amounts is as long as they are: building it costs more than it saves.
UNLIKE = (pa.float64(), pa.decimal128(16, 2), pa.binary())


@dataclass(frozen=True)
class Receipt:
    """A file that a worker wrote.

    Args:
        table: name of the table that it is for.
        path: its path below the table's folder.
        partition: the value of the table's partition column.
        rows: how many it holds.
        size: bytes.
        stats: Delta's statistics, as JSON.
    """

    table: str
    path: str
    partition: str
    rows: int
    size: int
    stats: str


def write_file(root: str, table: Table, rows: pa.Table, partition: str) -> Receipt:
    """Write rows of one partition, in the order of their loans, as a file below the table's folder.

    Raises:
        LoanbookError: a row breaks a constraint of the table, or lacks a required value.
    """
    require_valid(table, rows)
    (column,) = table.partitions
    path = f"{column}={partition}/part-{uuid.uuid4()}.parquet"
    file = Path(root) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    kept = rows.drop([column])  # its value is in the path
    repeating = [field.name for field in kept.schema if field.type not in UNLIKE and field.name != "loan_id"]
    pq.write_table(kept, file, use_dictionary=repeating, compression="snappy")
    first, last = ({name: rows[name][at].as_py() for name in ("source", "loan_id")} for at in (0, -1))
    stats = {
        "numRecords": len(rows), "minValues": first, "maxValues": last, "nullCount": dict.fromkeys(first, 0),
    }  # fmt: skip
    return Receipt(table.name, path, partition, len(rows), file.stat().st_size, json.dumps(stats))


def require_valid(table: Table, rows: pa.Table) -> None:
    """Check required values and the constraints that the table is created with.

    Raises:
        LoanbookError: names what some rows break.
    """
    present = set(rows.column_names)
    found = {
        f"{c.name} is required": rows[c.name].null_count
        for c in table.columns
        if c.required and c.name in present
    }
    tests = {name: condition for name, condition in table.constraints.items() if _reads(condition, present)}
    if tests:
        read = [name for name in rows.column_names if any(name in test for test in tests.values())]
        broken = [f"count(*) FILTER (NOT coalesce(({test}), false))" for test in tests.values()]
        query = f"SELECT {', '.join(broken)} FROM part"
        counts = _checker().from_arrow(rows.select(read)).query("part", query).fetchone() or ()
        found |= dict(zip(tests, counts, strict=True))
    if any(found.values()):
        raise LoanbookError(
            f"table {table.name}: rows that break { {name: count for name, count in found.items() if count} }"
        )


@cache
def _checker() -> Any:
    """Return the process's DuckDB, which reads conditions as Spark does."""
    import duckdb  # only a worker that writes needs it

    return duckdb.connect()


def _reads(condition: str, columns: set[str]) -> bool:
    return any(column in condition for column in columns)


def commit(
    spark: SparkSession,
    uri: str,
    table: Table,
    receipts: Sequence[Receipt],
    source: str,
    where: str,
    metadata: Mapping[str, Any],
) -> int:
    """Replace a source's files that meet ``where`` by the receipts' in one transaction; return its version.

    Args:
        spark: the session.
        uri: folder of the table, which exists.
        table: that they belong to.
        receipts: of the new files.
        source: whose files are replaced; each file is of one source.
        where: a further condition, on the partition column only.
        metadata: of the commit.

    Raises:
        LoanbookError: a file of the table does not say which source's rows it holds.
    """
    (column,) = table.partitions
    option = java_class(spark, "scala.Option").apply
    nothing = _empty_list(spark)
    log = java_class(spark, f"{DELTA}.DeltaLog").forTable(spark._jsparkSession, uri)
    transaction = log.startTransaction(option(None), option(None))
    from_json = java_class(spark, f"{DELTA}.actions.Action").fromJson
    now, actions = int(time.time() * 1000), nothing
    for file in _replaced(spark, transaction, table, source, where):
        actions = actions.prepended(file.removeWithTimestamp(now, True))
    for receipt in receipts:
        action = json.dumps({"add": _added(receipt, column, now)})
        actions = actions.prepended(from_json(action))
    operation = java_class(spark, f"{DELTA}.DeltaOperations$Write")(
        java_class(spark, "org.apache.spark.sql.SaveMode").Overwrite,
        option(nothing.appended(column)),
        option(f"{of_source(source)} AND {where}"),
        option(json.dumps(metadata, sort_keys=True)),
    )
    return int(transaction.commit(actions, operation))


def _added(receipt: Receipt, column: str, now: int) -> dict[str, Any]:
    return {
        "path": receipt.path, "partitionValues": {column: receipt.partition}, "size": receipt.size,
        "modificationTime": now, "dataChange": True, "stats": receipt.stats,
    }  # fmt: skip


def _replaced(spark: SparkSession, transaction: Any, table: Table, source: str, where: str) -> Iterator[Any]:
    """Yield the source's files that meet a condition on the partition column."""
    if no_files(transaction.snapshot()):
        transaction.readWholeTable()  # any commit meanwhile is a conflict, as after a look for files
        return
    predicate = spark._jsparkSession.sessionState().sqlParser().parseExpression(where)
    found = transaction.filterFiles(_empty_list(spark).appended(predicate), False)
    in_path = table.partitions == ("source",)
    sources = {} if in_path or found.isEmpty() else _sources(spark, transaction, table)
    files = found.iterator()
    while files.hasNext():
        file = files.next()
        if source == (file.partitionValues().apply("source") if in_path else sources[file.path()]):
            yield file


def _empty_list(spark: SparkSession) -> Any:
    return getattr(java_class(spark, "scala.collection.immutable.Nil$"), "MODULE$")


def _sources(spark: SparkSession, transaction: Any, table: Table) -> dict[str, str]:
    """Return the source of each file's rows, by Delta's statistics."""
    files = DataFrame(transaction.snapshot().withStats(), spark)
    low, high = F.col("stats.minValues.source"), F.col("stats.maxValues.source")
    found = files.select("path", low.alias("low"), high.alias("high")).collect()
    mixed = [row["path"] for row in found if row["low"] is None or row["low"] != row["high"]]
    if mixed:
        raise LoanbookError(f"table {table.name}: {mixed[0]} does not say that its rows are of one source")
    return {row["path"]: row["low"] for row in found}
