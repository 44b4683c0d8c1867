from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import functions as F

from loanbook.errors import LoanbookError
from loanbook.training.snapshot.row_groups import (
    MAX_ROWS,
    choose_size,
    groups_of,
    in_row_groups,
    verify_groups,
)


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
    size = choose_size([[rows]], least, workers)
    found = groups_of([rows], size, workers)
    assert found % workers == 0
    assert found >= min(groups, least)
    assert rows - found * size <= rows - groups * (rows // groups if groups else 0)


def test_members_leave_few_rows_over_of_uneven_parts() -> None:
    parts = [10_040, 9_871, 10_219, 9_990, 10_101]
    fitted = [[rows for other, rows in enumerate(parts) if other != member] for member in range(5)]
    size = choose_size(fitted, 16, 2)
    for rows in fitted:
        groups = groups_of(rows, size, 2)
        assert groups >= 16
        assert groups * size > 0.97 * sum(rows)


def test_large_snapshots_keep_row_groups_small() -> None:
    assert choose_size([[100_000_000]], 16, 2) <= MAX_ROWS


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
    verify_groups(tmp_path, 14, 5)
    with pytest.raises(LoanbookError, match=r"expected .* \(1, 5\)\], found .* \(1, 4\)\]"):
        verify_groups(tmp_path, 15, 5)
    verify_groups(tmp_path / "nothing", 0, 5)
