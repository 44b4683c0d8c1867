"""What has changed since a job last ran: months of a table, rows between two versions, its last inputs."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from loanbook.tables.base import Table
from loanbook.warehouse.commits import changed_files
from loanbook.warehouse.runs import Run
from loanbook.warehouse.storage import Storage

_MONTH = re.compile(r"(?:^|/)as_of_date=(\d{4}-\d{2}-\d{2})/")


@dataclass(frozen=True)
class LastRun:
    """The last published run of a job for a source, as its ``runs`` row has it.

    Args:
        run_id: of the run.
        as_of: month that it was asked for, None for all.
        inputs: version that it read of each table.
        outputs: version that it published of each table.
        details: its result and evidence.
    """

    run_id: str
    as_of: date | None
    inputs: dict[str, int]
    outputs: dict[str, int]
    details: dict[str, Any]


def last_inputs(run: Run, source: str) -> LastRun | None:
    """Return the last published run of the run's job for a source; None before any."""
    for row in reversed(run.published_runs):
        if (row["job"], row["source"]) == (run.job, source):
            details = json.loads(row["details"])
            return LastRun(row["run_id"], row["as_of_date"], row["inputs"], row["outputs"], details)
    return None


def changed_months(
    spark: SparkSession, storage: Storage, table: Table, before: int, after: int
) -> set[date] | None:
    """Return the months (``as_of_date``) whose files were written between two versions of a table.

    Reads the table's log and no row, so it errs on the safe side: a month that was written again with the
    same rows, or by another source, counts as changed. None where the log no longer has the commits since
    (60 days): any month may have changed.
    """
    files = changed_files(spark, storage, table, before, after)
    if files is None:
        return None
    paths = files.came | files.went
    return {date.fromisoformat(found[1]) for path in paths if (found := _MONTH.search(path))}


def changed_rows(
    before: DataFrame, after: DataFrame, key: Sequence[str], columns: Sequence[str], *, new_ones: bool = True
) -> DataFrame:
    """Return the keys whose ``columns`` differ between two frames, or that only one of them has.

    A null differs from every value and from no other null. Only a hash of the columns is compared. Without
    ``new_ones`` a key that only ``after`` has is left out.
    """
    old, new = _hashed(before, "before", key, columns), _hashed(after, "after", key, columns)
    both = old.join(new, list(key), "full_outer" if new_ones else "left_outer")
    return both.where(~F.col("before").eqNullSafe(F.col("after"))).select(*key)


def count_changes(
    before: DataFrame, after: DataFrame, key: Sequence[str], columns: Sequence[str]
) -> tuple[int, int]:
    """Return how many keys of ``before`` have other ``columns`` in ``after``, or went, and how many are new.

    ``key`` is that of both frames; it is compared as ``changed_rows`` does.
    """
    old, new = _hashed(before, "before", key, columns), _hashed(after, "after", key, columns)
    differs = ~F.col("before").eqNullSafe(F.col("after"))
    is_new = F.col("before").isNull()  # a hash is never null
    counted = old.join(new, list(key), "full_outer").agg(F.count_if(differs & ~is_new), F.count_if(is_new))
    changed, came = counted.collect()[0]
    return int(changed), int(came)


def _hashed(rows: DataFrame, name: str, key: Sequence[str], columns: Sequence[str]) -> DataFrame:
    return rows.select(*key, content_hash_expr(rows, columns).alias(name))


def month_digests(rows: DataFrame, columns: Sequence[str]) -> dict[date, str]:
    """Return a digest of each month's rows, whatever their order, of the given columns.

    ``columns`` hold a key: two equal rows would cancel each other out.
    """
    digest = F.bit_xor(content_hash_expr(rows, columns)).alias("hash")
    months = rows.groupBy("as_of_date").agg(F.count(F.lit(1)).alias("rows"), digest).collect()
    return {month["as_of_date"]: f"{month['rows']}:{month['hash'] & (2**64 - 1):016x}" for month in months}


def content_hash_expr(rows: DataFrame, columns: Sequence[str]) -> Column:
    """Return a hash of columns of ``rows``: 64 bits, never null.

    ``xxhash64`` skips nulls and refuses maps: which columns are null is hashed too, nested ones as JSON.
    """
    nested = (T.ArrayType, T.MapType, T.StructType)
    values = [
        F.to_json(name, {"ignoreNullFields": "false"})
        if isinstance(rows.schema[name].dataType, nested)
        else F.col(name)
        for name in columns
    ]
    return F.xxhash64(*values, *(F.col(name).isNull() for name in columns))
