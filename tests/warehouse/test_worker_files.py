"""Files that workers write: the table's constraints hold in them, and their receipts say what they hold."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loanbook.errors import LoanbookError
from loanbook.tables.base import Column, Table
from loanbook.warehouse.worker_files import write_file

TABLE = Table(
    name="small",
    description="",
    columns=(
        Column("source", "STRING", "", required=True),
        Column("loan_id", "STRING", "", required=True),
        Column("as_of_date", "DATE", "", required=True),
        Column("share", "DOUBLE", ""),
    ),
    key=("source", "loan_id", "as_of_date"),
    partitions=("as_of_date",),
    constraints={
        "month_end": "as_of_date = last_day(as_of_date)",
        "share_range": "share IS NULL OR share BETWEEN 0 AND 1",
    },
)
MONTH = date(2020, 2, 29)
ROWS = {"source": ["a", "a"], "loan_id": ["x", "y"], "as_of_date": [MONTH, MONTH], "share": [0.5, None]}


def test_a_file_holds_its_rows_without_the_partition_and_its_receipt_their_statistics(tmp_path: Path) -> None:
    receipt = write_file(str(tmp_path), TABLE, pa.table(ROWS), str(MONTH))
    assert receipt.path.startswith("as_of_date=2020-02-29/part-")
    file = tmp_path / receipt.path
    assert (receipt.rows, receipt.size, receipt.partition) == (2, file.stat().st_size, "2020-02-29")
    stats = json.loads(receipt.stats)
    assert stats["minValues"] == {"source": "a", "loan_id": "x"}
    assert stats["maxValues"] == {"source": "a", "loan_id": "y"}
    assert pq.ParquetFile(file).read().to_pydict() == {
        name: values for name, values in ROWS.items() if name != "as_of_date"
    }


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"share": [0.5, 2.0]}, "share_range': 1"),
        ({"as_of_date": [MONTH, date(2020, 2, 28)]}, "month_end': 1"),
        ({"loan_id": ["x", None]}, "loan_id is required': 1"),
    ],
)
def test_rows_that_break_the_table_are_not_written(
    tmp_path: Path, broken: dict[str, Any], message: str
) -> None:
    with pytest.raises(LoanbookError, match=message):
        write_file(str(tmp_path), TABLE, pa.table({**ROWS, **broken}), str(MONTH))
    assert not list(tmp_path.iterdir())


def test_a_condition_that_is_unknown_counts_as_broken_as_delta_has_it(tmp_path: Path) -> None:
    strict = replace(TABLE, constraints={"share_range": "share BETWEEN 0 AND 1"})
    with pytest.raises(LoanbookError, match="share_range': 1"):
        write_file(str(tmp_path), strict, pa.table(ROWS), str(MONTH))
