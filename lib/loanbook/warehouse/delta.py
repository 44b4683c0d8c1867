"""The only functions that create, read and write a published table."""

import json
from collections.abc import Mapping
from typing import Any

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from loanbook.errors import InputError, LoanbookError
from loanbook.tables.base import Table
from loanbook.warehouse.session import java_class
from loanbook.warehouse.storage import Storage

# Readers of protocol 1 (DuckDB, Trino, delta-rs) can read every table; old versions stay for 30 days.
PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    "delta.columnMapping.mode": "none",
    "delta.deletedFileRetentionDuration": "interval 30 days",
    "delta.logRetentionDuration": "interval 60 days",
}

USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"  # of commits that take no option
LAST_COMMIT = "spark.databricks.delta.lastCommitVersionInSession"  # Delta sets it after each commit


def create(spark: SparkSession, storage: Storage, table: Table) -> bool:
    """Create the table, with comments, constraints and protocol, where it does not exist.

    Returns:
        Whether it did not.

    Raises:
        InputError: it exists with other columns, as an earlier or later version of the package wrote it.
    """
    log = delta_log(spark, storage, table)
    if log is not None:
        found = StructType.fromJson(json.loads(log.unsafeVolatileSnapshot().schema().json()))
        require_columns(table, found)
        return False
    builder = DeltaTable.createIfNotExists(spark).comment(table.description)
    builder = builder.tableName(storage.spark_name(table.name))
    if not storage.catalog:
        builder = builder.location(storage.table_uri(table.name))
    builder = builder.addColumns(table.declared)
    constraints = {f"delta.constraints.{name}": condition for name, condition in table.constraints.items()}
    for key, value in {**PROPERTIES, **constraints}.items():
        builder = builder.property(key, value)
    builder.partitionedBy(*table.partitions).execute()
    return True


def require_columns(table: Table, schema: StructType) -> None:
    """Check that a table as it was found has the columns that it is declared with.

    Raises:
        InputError: another version of the package wrote it.
    """
    found, wanted = (
        {field.name: field.dataType.simpleString() for field in of} for of in (schema, table.schema)
    )
    differ = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
    if differ:
        shown = ", ".join(f"{name} ({found.get(name, 'none')})" for name in differ[:5])
        raise InputError(
            required=f"the table {table.name} with the columns of this version of loanbook: "
            + ", ".join(f"{name} {wanted.get(name, 'not there')}" for name in differ[:5]),
            found=shown + (f" and {len(differ) - 5} more that differ" if len(differ) > 5 else ""),
            do="set paths.warehouse to a new folder and run the pipeline there again",
        )


def read(spark: SparkSession, storage: Storage, table: Table, version: int) -> DataFrame:
    """Return the table as of ``version``."""
    if storage.catalog:
        return spark.read.option("versionAsOf", version).table(storage.spark_name(table.name))
    return spark.read.format("delta").option("versionAsOf", version).load(storage.table_uri(table.name))


def append(
    spark: SparkSession, storage: Storage, table: Table, df: DataFrame, metadata: Mapping[str, object]
) -> int:
    """Append rows in one commit and return its version."""
    return _commit(spark, storage, table, df, metadata, mode="append")


def replace(
    spark: SparkSession,
    storage: Storage,
    table: Table,
    df: DataFrame,
    where: str,
    metadata: Mapping[str, object],
) -> int:
    """Replace the rows that meet ``where`` by ``df``, whose rows all must; return the commit's version."""
    return _commit(spark, storage, table, df, metadata, mode="overwrite", where=where)


def _commit(
    spark: SparkSession,
    storage: Storage,
    table: Table,
    df: DataFrame,
    metadata: Mapping[str, object],
    mode: str,
    where: str | None = None,
) -> int:
    made = create(spark, storage, table)
    # Of a table that was just made Delta would count the files by Spark jobs.
    if where is not None and (made or is_empty(spark, storage, table)):
        mode, where = "append", None  # to look for what to replace takes Delta longer than to write
    spark.conf.unset(LAST_COMMIT)
    text = json.dumps(metadata, sort_keys=True)
    writer = table.conform(df).write.format("delta").mode(mode).option("userMetadata", text)
    if where is not None:
        writer = writer.option("replaceWhere", where)
    if storage.catalog:
        writer.partitionBy(*table.partitions).saveAsTable(storage.spark_name(table.name))
    else:
        writer.save(storage.table_uri(table.name))
    committed = spark.conf.get(LAST_COMMIT, None)
    if committed is not None:
        return int(committed)
    version = latest_version(spark, storage, table)  # nothing to remove or add: Delta makes no commit
    if version is None:
        raise LoanbookError(f"table {table.name} was just written, but is not there")
    return version


def latest_version(spark: SparkSession, storage: Storage, table: Table) -> int | None:
    """Return the table's last version, or None where it does not exist."""
    log = delta_log(spark, storage, table)
    return None if log is None else int(log.unsafeVolatileSnapshot().version())


def delta_log(spark: SparkSession, storage: Storage, table: Table) -> Any | None:
    """Return Delta's log of the table as it is now, None where there is no table.

    It is asked directly: DESCRIBE HISTORY and inputFiles run Spark jobs, and a DeltaTable makes a plan.
    """
    if not storage.catalog:
        log = java_class(spark, "org.apache.spark.sql.delta.DeltaLog")
        found = log.forTable(spark._jsparkSession, storage.table_uri(table.name))
    elif spark.catalog.tableExists(storage.spark_name(table.name)):
        found = DeltaTable.forName(spark, storage.spark_name(table.name))._jdt.deltaLog()
    else:
        return None
    none = java_class(spark, "scala.Option").apply(None)
    return None if found.update(False, none, none).version() < 0 else found


def is_empty(spark: SparkSession, storage: Storage, table: Table) -> bool:
    """Return whether the table, which exists, has no file of rows."""
    log = delta_log(spark, storage, table)
    return log is not None and no_files(log.unsafeVolatileSnapshot())


def no_files(snapshot: Any) -> bool:
    """Return whether Delta's snapshot of a table has no file of rows."""
    known = snapshot.numOfFilesIfKnown()  # by the commit's checksum file; to count them takes Spark jobs
    return int(known.get() if known.isDefined() else snapshot.numOfFiles()) == 0


def restore(
    spark: SparkSession, storage: Storage, table: Table, version: int, metadata: Mapping[str, object]
) -> None:
    """Make ``version`` the table's content again, as a new version."""
    spark.conf.set(USER_METADATA, json.dumps(metadata, sort_keys=True))
    try:
        spark.sql(f"RESTORE TABLE {storage.spark_name(table.name)} TO VERSION AS OF {version}").collect()
    finally:
        spark.conf.unset(USER_METADATA)


def assert_unique(df: DataFrame, table: Table) -> None:
    """Check that no two rows of ``df`` share the table's key.

    Raises:
        InputError: some do; the message shows up to three of them.
    """
    repeated = df.groupBy(*table.key).count().where(F.col("count") > 1).limit(3).collect()
    if repeated:
        examples = "; ".join(", ".join(f"{name}={row[name]}" for name in table.key) for row in repeated)
        raise InputError(
            required=f"one row for each {', '.join(table.key)} in {table.name}",
            found=f"repeated keys, such as {examples}",
            do="remove the repeated rows from the tape, or mend its mapping",
        )
