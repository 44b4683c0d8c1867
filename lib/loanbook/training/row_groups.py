"""Writes training rows as Parquet in row groups of exactly equal size, in one global random order."""

from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.errors import LoanbookError

MAX_ROWS = 262_144  # a row group of 60 columns stays below Parquet's block size
POSITION_BITS = 33  # of monotonically_increasing_id, below the partition's number


def choose_groups(rows: int, least: int, workers: int) -> int:
    """Return the number of groups: a multiple of ``workers``, at least 4 each, that leaves fewest rows over.

    >>> choose_groups(177, 16, 2)
    16
    """
    smallest = max(least, 4 * workers, -(-rows // MAX_ROWS))
    smallest = -(-smallest // workers) * workers
    if rows < smallest:
        return rows // workers * workers
    return min(range(smallest, 2 * smallest, workers), key=lambda groups: rows % groups)


def write_row_groups(
    rows: DataFrame, order: list[Column], columns: list[str], count: int, groups: int, folder: Path
) -> int:
    """Write ``groups`` files of one row group with ``count // groups`` rows each; return the rows left over.

    Args:
        rows: the rows to write.
        order: columns whose order is total; the last rows in it are the ones left over.
        columns: the columns to write.
        count: number of ``rows``.
        groups: number of files.
        folder: gets ``row_group=<n>/``.

    Raises:
        LoanbookError: the files do not hold what they should.
    """
    if groups == 0:
        return count
    size = count // groups
    ordered = rows.repartitionByRange(*order[:1]).sortWithinPartitions(*order).persist()
    try:
        numbered = ordered.withColumn("row", _global_position(ordered))
        grouped = numbered.withColumn("row_group", F.floor(F.col("row") / F.lit(size)).cast("int"))
        used = grouped.where(F.col("row_group") < groups).repartition(groups, "row_group")
        writer = used.sortWithinPartitions("row_group", "row").select("row_group", *columns).write
        writer.partitionBy("row_group").parquet(str(folder))
    finally:
        ordered.unpersist()
    _verify(folder, groups, size)
    return count - groups * size


def _global_position(ordered: DataFrame) -> Column:
    counts = ordered.groupBy(F.spark_partition_id().alias("part")).count().collect()
    offsets, total = [], 0
    for row in sorted(counts, key=lambda row: row["part"]):
        offsets += [F.lit(int(row["part"])), F.lit(total).cast("long")]
        total += int(row["count"])
    within = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << POSITION_BITS) - 1))
    return F.element_at(F.create_map(*offsets), F.spark_partition_id()) + within


def _verify(folder: Path, groups: int, size: int) -> None:
    shapes = [
        (footer.num_row_groups, footer.num_rows)
        for footer in (pq.read_metadata(file) for file in sorted(folder.glob("row_group=*/*.parquet")))
    ]
    if shapes != [(1, size)] * groups:
        raise LoanbookError(
            f"{folder}: expected {groups} files of one row group of {size} rows, found {shapes}"
        )
