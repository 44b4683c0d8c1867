"""``loanbook reconcile``: every delivered file with its lines by fate, for an auditor, without a JVM."""

import argparse
from typing import Any

from loanbook.errors import GateRefused
from loanbook.output import say
from loanbook.quality.fates import FATES
from loanbook.quality.published import opened
from loanbook.scoring.answers import as_table
from loanbook.scoring.duckdb_views import Answer, Warehouse

COUNTS = ("lines", "rows", *FATES, "difference", "not_found")
BALANCES = ("upb", "upb_quarantined", "upb_superseded", "upb_set_aside")
TABLES = ("loans", "performance")  # with a row for each published one of the file kind of that name
COUNTED = "SELECT source, delivery, COUNT(*) AS found FROM {table} GROUP BY ALL"


def reconcile(options: argparse.Namespace) -> dict[str, Any]:
    """Print the published deliveries, then their totals by slice and by source and kind.

    ``difference`` is what was read less what has a fate; ``not_found`` is what the deliveries call published
    or quarantined less what these tables hold of them. Balances in the result are text: no cent is lost.

    Raises:
        InputError: bad settings, or nothing is ingested.
        GateRefused: a difference is not 0.
    """
    warehouse = opened(options)
    named = {"source": options.source}
    files = warehouse.ask(_files(warehouse), named)
    slices = warehouse.ask(_totals(warehouse, "source, slice", "kind = 'performance'"), named)
    sources = warehouse.ask(_totals(warehouse, "source, kind", "true"), named)
    say(_shown("Files", files))
    say(_shown("Slices, all kinds of files; balances of performance files", slices))
    say(_shown("Sources, by kind of file", sources))
    assert_no_difference(files)
    totals = [dict(zip(sources.columns, row, strict=True)) for row in sources.rows]
    return {"job": "reconcile", "status": "done", "difference": 0, "not_found": 0, "totals": totals}


def assert_no_difference(files: Answer) -> None:
    """Check that every line of each file is accounted for, and is where it is said to be.

    Raises:
        GateRefused: some are not; the message names the first files.
    """
    rows = [dict(zip(files.columns, row, strict=True)) for row in files.rows]
    wrong = [row for row in rows if row["difference"] or row["not_found"]]
    if wrong:
        shown = ", ".join(
            f"{row['file']} (difference {row['difference']}, not found {row['not_found']})"
            for row in wrong[:3]
        )
        raise GateRefused(
            required="every line published, quarantined, superseded or set aside, and found there",
            found=f"{len(wrong)} of {len(rows)} files differ: {shown}",
            do="ingest the slices of these files again",
        )


def _deliveries(warehouse: Warehouse) -> str:
    """Return the query of the deliveries with ``difference`` and ``not_found``.

    The quarantine may hold more lines of a file than the deliveries count: those of which only the terms were
    rejected. Where lines make several rows, it holds fewer, and is not compared.
    """
    cases, joins = [], []
    for table in TABLES:
        if table in warehouse.tables:
            cases.append(f"WHEN '{table}' THEN published - COALESCE(of_{table}.found, 0)")
            joins.append(f"LEFT JOIN ({COUNTED.format(table=table)}) AS of_{table} USING (source, delivery)")
    lost = "quarantined"
    if "quarantine" in warehouse.tables:
        joins.append(f"LEFT JOIN ({COUNTED.format(table='quarantine')}) AS rejected USING (source, delivery)")
        lost = "IF(rows = lines, GREATEST(quarantined - COALESCE(rejected.found, 0), 0), 0)"
    missing = f"CASE kind {' '.join(cases)} ELSE 0 END" if cases else "0"
    return (
        f"SELECT deliveries.*, rows - {' - '.join(FATES)} AS difference, {missing} + {lost} AS not_found "
        f"FROM deliveries {' '.join(joins)} WHERE $source IS NULL OR source = $source"
    )


def _files(warehouse: Warehouse) -> str:
    return (
        f"SELECT source, slice, file, kind, LEFT(sha256, 12) AS sha256, {', '.join((*COUNTS, *BALANCES))} "
        f"FROM ({_deliveries(warehouse)}) ORDER BY source, slice, kind, file"
    )


def _totals(warehouse: Warehouse, by: str, balance_where: str) -> str:
    counts = [f"SUM({name})::BIGINT AS {name}" for name in COUNTS]
    balances = [f"SUM({name}) FILTER ({balance_where}) AS {name}" for name in BALANCES]
    return (
        f"SELECT {by}, COUNT(*) AS files, {', '.join([*counts, *balances])} "
        f"FROM ({_deliveries(warehouse)}) GROUP BY ALL ORDER BY ALL"
    )


def _shown(title: str, answer: Answer) -> str:
    return f"{title}\n{as_table(answer, most=len(answer.rows))}\n"
