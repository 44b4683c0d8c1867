"""Divides the rows of a snapshot into files of one row group each, in one global random order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from loanbook.errors import LoanbookError

MAX_ROWS = 262_144  # a row group of 60 columns stays below Parquet's block size
SIZES_TRIED = 200
POSITION_BITS = 33  # of monotonically_increasing_id, below the partition's number


def choose_size(fitted: Sequence[Sequence[int]], least: int, workers: int) -> int:
    """Return the rows of a group that leave fewest rows over, of the sizes that give groups enough.

    Args:
        fitted: for each member, the rows of each of the parts that it is fitted on.
        least: number of groups, at least 4 for each worker, that every member should have.
        workers: that share the groups equally.

    >>> choose_size([[177]], 16, 2)
    11
    >>> choose_size([[50, 52], [48, 52], [48, 50]], 8, 2)
    12
    """
    fewest = min(sum(parts) for parts in fitted)
    largest = max(1, min(fewest // max(least, 4 * workers), MAX_ROWS))
    sizes: list[int] = np.unique(np.linspace(max(1, largest // 3), largest, SIZES_TRIED).astype(int)).tolist()

    def left_over(size: int) -> int:
        return sum(sum(parts) - groups_of(parts, size, workers) * size for parts in fitted)

    return min(reversed(sizes), key=left_over)


def groups_of(parts: Iterable[int], size: int, workers: int) -> int:
    """Return how many whole groups some parts have, as many for each worker.

    >>> groups_of([50, 33], 10, 2)
    8
    """
    return sum(rows // size for rows in parts) // workers * workers


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


def verify_groups(folder: Path, rows: int, size: int) -> None:
    """Check that a role's files have one row group of ``size`` rows each, and the last one the rest.

    Raises:
        LoanbookError: it holds others.
    """
    shapes = [
        (footer.num_row_groups, footer.num_rows)
        for footer in (pq.read_metadata(file) for file in files_of(folder))
    ]
    expected = [(1, min(size, rows - first)) for first in range(0, rows, size)]
    if shapes != expected:
        raise LoanbookError(f"{folder}: expected row groups and rows of its files {expected}, found {shapes}")


def files_of(folder: Path) -> list[Path]:
    """Return a role's files in the order of their rows."""
    found = folder.glob("row_group=*/*.parquet")
    return sorted(found, key=lambda file: int(file.parent.name.partition("=")[2]))
