"""The rows of ``deliveries``: each file with its totals, and earlier files less the lines replaced."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.quality.reconcile import Tally, assert_reconciled
from loanbook.runs import Run
from loanbook.sources.landing import Landed
from loanbook.sources.stored import published
from loanbook.tables.deliveries import DELIVERIES


def delivery_rows(
    files: Sequence[Landed], tallies: Mapping[str, Tally], period_months: int, slice_holds: str
) -> list[dict[str, Any]]:
    """Return the row of each delivered file.

    Raises:
        LoanbookError: lines were lost or doubled.
    """
    rows = []
    for file in files:
        tally = tallies.get(file.delivery, Tally())
        assert_reconciled(file.delivery, file.lines, tally)
        rows.append(
            {
                "source": file.source, "delivery": file.delivery, "slice": file.slice, "file": file.name,
                "kind": file.spec.kind, "sha256": file.sha256, "delivered_at": file.delivered_at,
                "scope": "full", "period_months": period_months, "slice_holds": slice_holds,
                "last_complete_month": tally.last_month, "is_open": tally.is_open,
                "lines": file.lines, "published": tally.published, "quarantined": tally.quarantined,
                "superseded": tally.superseded, "set_aside": tally.set_aside, "upb": tally.upb,
            }
        )  # fmt: skip
    return rows


def earlier_rows(
    run: Run, source: str, slices: Sequence[str], lost: Mapping[str, Tally]
) -> list[dict[str, Any]]:
    """Return the rows of a source's other slices, less the lines that this delivery takes from them."""
    stored = published(run, DELIVERIES, source)
    if stored is None:
        return []
    rows = [row.asDict() for row in stored.where(~F.col("slice").isin(*slices)).collect()]
    for row in rows:
        tally = lost.get(row["delivery"], Tally())
        row["published"] -= tally.superseded + tally.set_aside
        row["superseded"] += tally.superseded
        row["set_aside"] += tally.set_aside
        row["upb"] = None if row["upb"] is None else row["upb"] - (tally.upb_replaced or 0)
    return rows


def deliveries_frame(run: Run, rows: Sequence[Mapping[str, Any]]) -> DataFrame:
    """Return the rows as the table's frame."""
    names = DELIVERIES.column_names
    values = [tuple({"run_id": run.run_id, **row}[name] for name in names) for row in rows]
    return run.spark.createDataFrame(values, DELIVERIES.empty(run.spark).schema)
