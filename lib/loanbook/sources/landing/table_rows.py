"""The rows of a Delta table as numbered lines of text."""

import hashlib
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.path_forms import spark_reads

ROWS_OF_A_PARTITION = 1 << 33  # Spark's increasing id is partition * this + row


@dataclass(frozen=True)
class TableVersion:
    """The last version of a table.

    Args:
        frame: its rows.
        sha256: of the table's id and the version, which together never hold other rows.
    """

    frame: DataFrame
    sha256: str


def last_version(spark: SparkSession, table: str) -> TableVersion:
    """Return the last version of a Delta table.

    Args:
        spark: the session.
        table: what Spark SQL calls it.

    Raises:
        InputError: there is no such table, or it is of another format.
    """
    try:
        detail = spark.sql(f"DESCRIBE DETAIL {table}").select("id", "format").collect()[0]
        if detail["format"] != "delta":
            raise _no_table(table, f"one of format {detail['format']}")
        version = spark.sql(f"DESCRIBE HISTORY {table} LIMIT 1").collect()[0]["version"]
    except AnalysisException as error:
        raise _no_table(table, str(error).splitlines()[0]) from error
    frame = spark.sql(f"SELECT * FROM {table} VERSION AS OF {version}")
    return TableVersion(frame, hashlib.sha256(f"{detail['id']}@{version}".encode()).hexdigest())


def _no_table(table: str, found: str) -> InputError:
    return InputError(required=f"a Delta table {table}", found=found, do="correct the name or path")


def numbered_lines(frame: DataFrame, separator: str, folder: Path) -> tuple[DataFrame, int]:
    """Return the rows as ``_text`` and ``_line``, from 1 in the order of the texts, and how many there are.

    The order is of the content alone: however a table's files were rewritten, a row keeps its number.

    Args:
        frame: the rows.
        separator: between the columns.
        folder: gets the sorted rows.
    """
    columns = (F.coalesce(F.col(f"`{name}`").cast("string"), F.lit("")) for name in frame.columns)
    texts = frame.select(F.concat_ws(separator, *columns).alias("_text")).orderBy("_text")
    texts.withColumn("_id", F.monotonically_increasing_id()).write.parquet(str(folder))
    rows = frame.sparkSession.read.schema("_text STRING, _id BIGINT").parquet(spark_reads(folder))
    partition = F.floor(F.col("_id") / ROWS_OF_A_PARTITION)
    counts = rows.groupBy(partition.alias("partition")).count().orderBy("partition").collect()
    starts = list(accumulate((row["count"] for row in counts), initial=0))
    offsets = frame.sparkSession.createDataFrame(
        [(row["partition"], start) for row, start in zip(counts, starts, strict=False)],
        "partition BIGINT, start BIGINT",
    )
    row_of_partition = F.col("_id") % ROWS_OF_A_PARTITION
    numbered = rows.withColumn("partition", partition).join(F.broadcast(offsets), "partition")
    return numbered.select("_text", (F.col("start") + row_of_partition + 1).alias("_line")), starts[-1]
