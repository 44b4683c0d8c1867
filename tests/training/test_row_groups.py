from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from loanbook.errors import LoanbookError
from loanbook.training.snapshot.row_groups import MAX_ROWS, choose_groups, in_row_groups, verify_groups


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


def test_groups_of_each_role_in_one_order_whatever_the_partitions(spark: Any) -> None:
    rows = spark.range(1003).select(
        "id",
        F.when(F.col("id") % 10 == 0, "tune").otherwise("train").alias("role"),
        F.xxhash64(F.lit(1), "id").alias("shuffle"),
    )
    expected = rows.orderBy("role", "shuffle", "id").toPandas()
    position = expected.groupby("role").cumcount()
    sizes = {"train": 100, "tune": 40}
    for parts in (1, 5):
        with in_row_groups(rows.repartition(parts), "role", ["shuffle", "id"], sizes) as grouped:
            found = grouped.toPandas().sort_values(["role", "shuffle", "id"], ignore_index=True)
        assert found["id"].equals(expected["id"])
        assert found["row_group"].tolist() == (position // expected["role"].map(sizes)).tolist()


def test_no_row_has_no_group(spark: Any) -> None:
    rows = spark.range(0).select("id", F.lit("train").alias("role"))
    with in_row_groups(rows, "role", ["id"], {"train": 10}) as grouped:
        assert grouped.count() == 0


def test_files_that_are_not_equal_groups_are_an_error(tmp_path: Path) -> None:
    for group, rows in enumerate((5, 5, 4)):
        folder = tmp_path / f"row_group={group}"
        folder.mkdir()
        pq.write_table(pa.table({"id": list(range(rows))}), folder / "part.parquet")
    with pytest.raises(LoanbookError, match="expected 3 files of one row group of 5 rows"):
        verify_groups(tmp_path, 3, 5)
    verify_groups(tmp_path / "nothing", 0, 5)
