"""Divides the rows of a snapshot into files of one row group each, in one global random order."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, Row
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


@contextmanager
def in_row_groups(
    rows: DataFrame, role: str, order: Sequence[str], sizes: Mapping[str, int]
) -> Iterator[DataFrame]:
    """Yield the rows with ``row_group``: the position among the rows of its role over the role's size.

    Args:
        rows: few columns, as they are sorted and kept until the block ends.
        role: column of the role.
        order: columns whose order is total.
        sizes: rows of a group, by role.
    """
    ordered = rows.repartitionByRange(role, *order).sortWithinPartitions(role, *order).persist()
    try:
        parts = ordered.groupBy(F.spark_partition_id().alias("part"), F.col(role).alias("role")).count()
        position = _position(parts.collect(), role)
        size = F.element_at(F.create_map(*map(F.lit, _flat(sizes))), F.col(role))
        yield ordered.withColumn("row_group", F.floor(position / size).cast("int"))
    finally:
        ordered.unpersist()


def _position(parts: Sequence[Row], role: str) -> Column:
    """Return a row's position among those of its role, from the rows of each partition and role."""
    offsets: dict[str, int] = {}
    seen: dict[str, int] = {}
    inside: dict[int, int] = {}
    for part, name, count in sorted((row["part"], row["role"], row["count"]) for row in parts):
        offsets[f"{part}/{name}"] = seen.get(name, 0) - inside.get(part, 0)
        seen[name] = seen.get(name, 0) + count
        inside[part] = inside.get(part, 0) + count
    if not offsets:
        return F.lit(0)
    key = F.concat_ws("/", F.spark_partition_id(), role)
    within = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << POSITION_BITS) - 1))
    return F.element_at(F.create_map(*map(F.lit, _flat(offsets))), key) + within


def _flat(mapping: Mapping[str, int]) -> list[str | int]:
    return [item for pair in mapping.items() for item in pair]


def verify_groups(folder: Path, groups: int, size: int) -> None:
    """Check that a role's folder holds ``groups`` files of one row group with ``size`` rows each.

    Raises:
        LoanbookError: it holds others.
    """
    shapes = [
        (footer.num_row_groups, footer.num_rows)
        for footer in (pq.read_metadata(file) for file in sorted(folder.glob("row_group=*/*.parquet")))
    ]
    if shapes != [(1, size)] * groups:
        raise LoanbookError(
            f"{folder}: expected {groups} files of one row group of {size} rows, found {shapes}"
        )
