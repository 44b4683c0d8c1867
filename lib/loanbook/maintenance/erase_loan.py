"""The job ``erase_loan``: a loan leaves every table, with a record that does not name it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.maintenance.every_table import TABLES
from loanbook.sources.publishing.deliveries import Move, Row, deliveries_frame, earlier_rows, stored_rows
from loanbook.tables.columns import DELINQUENT_STATES, of_source, quoted
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.runs import RUNS
from loanbook.tables.superseded import SUPERSEDED
from loanbook.warehouse.runs import Run
from loanbook.warehouse.storage import is_complete

MADE_BY = "ingest-tapes"
ERASED = "[erased]"  # the text of a line in quarantine that named the loan


def erase_loan(run: Run, *, loan_id: Sequence[str]) -> dict[str, Any]:
    """Remove the rows of loans from every published table, and their lines' text from quarantine.

    ``deliveries`` counts them as erased. Versions of the tables from before, and files that no version holds
    any more, keep the rows until VACUUM removes them; training snapshots that hold them are named. A tape
    that is delivered again with the loan brings it back.

    Args:
        run: the job's run, with its source.
        loan_id: of the loans, as the tape has them.

    Returns:
        Rows erased by table, lines of quarantine whose text was, the snapshots, and SHA-256 of each id.

    Raises:
        InputError: no source was named, or no table holds one of the loans.
    """
    tables = [table for table in TABLES.values() if run.exists(table) and table is not RUNS]
    run.require(DELIVERIES, made_by=MADE_BY)
    source = run.only_source(DELIVERIES, made_by=MADE_BY)
    run.hold(*tables)
    ids = sorted(set(loan_id))
    where = f"{of_source(source)} AND loan_id IN ({', '.join(map(quoted, ids))})"
    own = {
        table.name: run.read(table, made_by=MADE_BY).where(where)
        for table in tables
        if "loan_id" in table.column_names
    }
    rows = {name: frame.count() for name, frame in own.items()}
    if not any(rows.values()):
        raise InputError(
            required=f"a loan of {source}",
            found=f"none of {', '.join(ids)} in any table",
            do="correct the id",
        )
    stored = stored_rows(run.read_source(DELIVERIES, source))
    moves = _moves(stored, own)
    for table in tables:
        if rows.get(table.name):
            run.replace(table, table.empty(run.spark), where)
    rest = earlier_rows(stored, lambda _: False, moves)
    run.replace(DELIVERIES, deliveries_frame(run.spark, rest, run.run_id), of_source(source))
    lines = _without_text(run, source, ids)
    for name, count in rows.items():
        run.count(f"erased_{name}", count)
    return {
        "source": source,
        "loans_sha256": [hashlib.sha256(name.encode()).hexdigest() for name in ids],
        "erased": {name: count for name, count in rows.items() if count},
        "quarantine_lines": lines,
        "snapshots_with_them": _snapshots(run.storage.snapshot_folder(), source, ids),
    }


def _moves(stored: Sequence[Row], own: Mapping[str, DataFrame]) -> list[Move]:
    """Return what the deliveries of the loans' rows lose: by the fate that the rows had.

    Args:
        stored: rows of ``deliveries``.
        own: table to the loans' rows.
    """
    kinds = {row["delivery"]: row["kind"] for row in stored}
    is_late = F.col("state").isin(*DELINQUENT_STATES)
    of_months = _counted(own.get(PERFORMANCE.name), F.lit("published"), "upb", is_late)
    lost = _counted(own.get(SUPERSEDED.name), F.col("fate"), "upb", F.lit(False))
    # Terms that came with months are counted as months.
    terms = _counted(own.get(LOANS.name), F.lit("published"), "original_upb", F.lit(False))
    return [*of_months, *lost, *(move for move in terms if kinds.get(move.delivery) == "loans")]


def _counted(rows: DataFrame | None, fate: Column, upb: str, late: Column) -> list[Move]:
    if rows is None:
        return []
    counted = rows.groupBy("delivery", fate.alias("fate")).agg(
        F.count(F.lit(1)).alias("rows"), F.sum(upb).alias("upb"), F.count_if(late).alias("late")
    )
    return [
        Move(row["delivery"], row["fate"], "erased", row["rows"], _decimal(row["upb"]), row["late"])
        for row in counted.collect()
    ]


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def _without_text(run: Run, source: str, ids: Sequence[str]) -> int:
    """Replace the text of rejected lines that name one of the loans; return how many there are."""
    if not run.exists(QUARANTINE):
        return 0
    named = "|".join(re.escape(name) for name in ids)
    here = of_source(source)
    lines = run.read(QUARANTINE, made_by=MADE_BY).where(here)
    found = lines.where(F.col("text").rlike(rf"(^|[^\w-])({named})($|[^\w-])"))
    keys = [f"{row['delivery']}:{row['line']}" for row in found.select("delivery", "line").collect()]
    if keys:
        where = f"{here} AND CONCAT_WS(':', delivery, line) IN ({', '.join(map(quoted, keys))})"
        run.replace(QUARANTINE, found.withColumn("text", F.lit(ERASED)), where)
    return len(keys)


def _snapshots(snapshots: Path, source: str, ids: Sequence[str]) -> list[str]:
    """Return the training snapshots that hold rows of the loans."""
    folders = [folder for folder in snapshots.glob("*") if is_complete(folder)]
    wanted = (ds.field("source") == source) & ds.field("loan_id").isin(list(ids))
    return sorted(
        folder.name
        for folder in folders
        if (files := [str(file) for file in folder.rglob("*.parquet")])
        and ds.dataset(files, format="parquet").count_rows(filter=wanted)
    )
