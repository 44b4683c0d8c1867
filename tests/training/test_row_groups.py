from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from loanbook.training.row_groups import MAX_ROWS, choose_groups, write_row_groups


@pytest.mark.parametrize(
    ("rows", "least", "workers", "groups"),
    [
        (160_000, 16, 2, 16),
        (17 * 100, 16, 1, 17),
        (100, 16, 3, 33),
        (5, 16, 2, 4),
        (0, 16, 2, 0),
        (1, 16, 2, 0),
    ],
)
def test_groups_divide_among_workers_and_leave_few_rows(
    rows: int, least: int, workers: int, groups: int
) -> None:
    found = choose_groups(rows, least, workers)
    assert found == groups
    assert found % workers == 0


def test_large_snapshots_keep_row_groups_small() -> None:
    assert 100_000_000 / choose_groups(100_000_000, 16, 2) <= MAX_ROWS


def test_equal_groups_in_one_order_without_a_lost_row(spark: Any, tmp_path: Path) -> None:
    rows = spark.range(1003).repartition(5).withColumn("shuffle", F.xxhash64(F.lit(1), "id"))
    order = [F.col("shuffle"), F.col("id")]
    left = write_row_groups(rows, order, ["id"], 1003, 8, tmp_path / "train")
    files = sorted((tmp_path / "train").glob("row_group=*/*.parquet"))
    assert [pq.read_metadata(file).num_rows for file in files] == [125] * 8
    assert left == 3
    written = [pq.read_table(file, partitioning=None)["id"].to_pylist() for file in files]
    expected = [row["id"] for row in rows.orderBy(*order).collect()]
    assert list(chain.from_iterable(written)) == expected[:1000]


def test_nothing_to_write(spark: Any, tmp_path: Path) -> None:
    assert write_row_groups(spark.range(1), [F.col("id")], ["id"], 1, 0, tmp_path / "train") == 1
    assert not (tmp_path / "train").exists()
