"""``loanbook reconcile``: every delivered file with its lines by fate, for an auditor, without a JVM."""

import argparse
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from loanbook.errors import GateRefused
from loanbook.output import say
from loanbook.quality.fates import ENDS, upb_of
from loanbook.quality.published import opened
from loanbook.sql.answers import as_table
from loanbook.sql.duckdb import Answer, Warehouse

COUNTS = ("lines", "rows", *ENDS, "difference", "not_found")
UPB_FATES = tuple(map(upb_of, ENDS))
BALANCES = ("upb_read", *UPB_FATES, "upb_difference", "upb_not_found")
DIFFERENCES = ("difference", "not_found", "upb_difference", "upb_not_found")
# Published tables, with a row for each published one of the file kind of that name, and their balance.
TABLES = {"loans": "original_upb", "performance": "upb"}
COUNTED = "SELECT source, delivery, COUNT(*) AS found{more} FROM {table} GROUP BY ALL"
NOTHING = Decimal("0.00")


def reconcile(options: argparse.Namespace) -> dict[str, Any]:
    """Print the published deliveries, then their totals by slice and by source and kind.

    ``difference`` is what was read less what has a fate; ``not_found`` is what the deliveries call published
    or quarantined less what these tables hold of them. ``upb_difference`` and ``upb_not_found`` are the same
    of balances, in the currency of the tape, the latter of what is published: ``performance.upb`` for files
    of performance, ``loans.original_upb`` for files of loans. In the result they are text: no cent is lost.

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
    none = {"difference": 0, "not_found": 0, "upb_difference": NOTHING, "upb_not_found": NOTHING}
    return {"job": "reconcile", "status": "done", **none, "totals": totals}


def assert_no_difference(files: Answer) -> None:
    """Check that every line and balance of each file is accounted for, and is where it is said to be.

    Raises:
        GateRefused: some are not; the message names the first files.
    """
    rows = [dict(zip(files.columns, row, strict=True)) for row in files.rows]
    wrong = [row for row in rows if any(row[name] for name in DIFFERENCES)]
    if wrong:
        shown = ", ".join(f"{row['file']} ({_differences(row)})" for row in wrong[:3])
        raise GateRefused(
            required="every line, with its balance, under one of its fates, and found in its table",
            found=f"{len(wrong)} of {len(rows)} files differ: {shown}",
            do="ingest the slices of these files again",
        )


def _differences(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {row[name]}" for name in DIFFERENCES)


def _deliveries(warehouse: Warehouse) -> str:
    """Return the query of the deliveries with their differences.

    A file is compared with the table of its kind alone: loans made from performance lines do not count.
    What the quarantine holds is counted by its ``rows``, as ``show-quarantine`` does.
    """
    tables = [table for table in TABLES if table in warehouse.tables]
    joins = [_join(table, f", SUM({TABLES[table]}) AS upb_found") for table in tables]
    lost = "quarantined"
    if "quarantine" in warehouse.tables:
        joins.append(_join("quarantine", ", SUM(rows) AS rows_found"))
        lost = "quarantined - COALESCE(of_quarantine.rows_found, 0)"
    missing = _by_kind({table: f"published - COALESCE(of_{table}.found, 0)" for table in tables})
    upb_missing = _by_kind(
        {table: f"COALESCE(upb, 0) - COALESCE(of_{table}.upb_found, 0)" for table in tables}
    )
    accounted = " + ".join(f"COALESCE({name}, 0)" for name in UPB_FATES)
    return (
        f"SELECT deliveries.*, rows - {' - '.join(ENDS)} AS difference, {missing} + {lost} AS not_found, "
        f"COALESCE(upb_read, 0) - ({accounted}) AS upb_difference, {upb_missing} AS upb_not_found "
        f"FROM deliveries {' '.join(joins)} WHERE $source IS NULL OR source = $source"
    )


def _join(table: str, more: str = "") -> str:
    counted = COUNTED.format(table=table, more=more)
    return f"LEFT JOIN ({counted}) AS of_{table} USING (source, delivery)"


def _by_kind(differences: Mapping[str, str]) -> str:
    cases = " ".join(f"WHEN '{kind}' THEN {difference}" for kind, difference in differences.items())
    return f"CASE kind {cases} ELSE 0 END" if cases else "0"


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
