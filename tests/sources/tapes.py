"""Handmade tapes: lines of Freddie Mac's layout, and a monthly feed with a mapping of its own."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from loanbook.quality.fates import FATES
from loanbook.settings.section import validated
from loanbook.sources.mapping.file_spec import FileSpec
from loanbook.tables.base import Table
from loanbook.warehouse.runs import Run
from tests.duck import published_rows

MONTHLY_FEED: dict[str, Any] = {
    "name": "monthly_feed",
    "product": "personal",
    "known_lag_months": 1,
    "files": [
        {
            "kind": "performance",
            "pattern": r"feed_\d{6}\.csv",
            "slice": r"feed_(\d{6})",
            "header": True,
            "fields": {
                "id": "text", "month": {"type": "date", "format": "yyyyMM"},
                "days": "int", "balance": "money",
            },
        }
    ],
    "performance": {
        "columns": {
            "loan_id": "id",
            "as_of_date": "month",
            "state": "CASE WHEN days < 0 THEN 'prepaid' WHEN days < 30 THEN 'current' "
            "WHEN days < 60 THEN 'dpd30' WHEN days < 90 THEN 'dpd60' WHEN days >= 90 THEN 'dpd90' END",
            "upb": "balance",
        },
    },
}  # fmt: skip

# Terms and months in a file each, where an agency's many fields are not the matter.
SMALL_BOOK: dict[str, Any] = {
    "name": "small_book",
    "product": "mortgage",
    "known_lag_months": 0,
    "files": [
        {
            "kind": "loans", "pattern": r"terms_\d{4}Q\d\.csv", "slice": r"(\d{4}Q\d)",
            "fields": {"id": "text", "score": "int"},
        },
        {
            "kind": "performance", "pattern": r"months_\d{4}Q\d\.csv", "slice": r"(\d{4}Q\d)",
            "fields": {"id": "text", "month": {"type": "date", "format": "yyyyMM"}, "late": "int"},
        },
    ],
    "loans": {"columns": {"loan_id": "id", "credit_score": "score"}},
    "performance": {
        "columns": {
            "loan_id": "id",
            "as_of_date": "month",
            "state": "CASE late WHEN 0 THEN 'current' WHEN 1 THEN 'dpd30' WHEN 2 THEN 'dpd60' END",
        },
    },
}  # fmt: skip


def file_spec(**options: object) -> FileSpec:
    """Return the spec of files ``tape_1.csv``, ``tape_2.parquet`` and so on, with other options."""
    usual = {
        "kind": "performance",
        "pattern": r"tape_\d+\.(csv|parquet)",
        "fields": {"id": "text", "x": "int"},
    }
    return validated(FileSpec, {**usual, **options}, "file")


def terms(loan: str, fields: Mapping[int, str] | None = None) -> str:
    """Return a line of the origination file; ``fields`` by their number, from 1."""
    usual = {
        1: "758", 2: "201905", 3: "N", 4: "203904", 5: "43580", 6: "000", 7: "1", 8: "P", 9: "55",
        10: "14", 11: "248000", 12: "55", 13: "4.375", 14: "R", 15: "N", 16: "FRM", 17: "IA", 18: "SF",
        19: "51100", 20: loan, 21: "N", 22: "240", 23: "02", 24: "Other sellers", 25: "Other servicers",
        28: "9", 30: "2", 31: "N", 32: "7",
    }  # fmt: skip
    return _line(usual | dict(fields or {}))


def month(loan: str, period: str, delinquency: str = "0", fields: Mapping[int, str] | None = None) -> str:
    """Return a line of the performance file."""
    usual = {1: loan, 2: period, 3: "248000.00", 4: delinquency, 5: "001", 6: "239", 11: "4.375", 12: "0.00"}
    return _line(usual | dict(fields or {}))


def _line(fields: Mapping[int, str]) -> str:
    return "|".join(fields.get(number, "") for number in range(1, 33))


def write_freddie(folder: Path, loans: Iterable[str], months: Iterable[str], quarter: str = "2019Q1") -> Path:
    """Write the two files of a vintage quarter."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"historical_data_{quarter}.txt").write_text("".join(f"{line}\n" for line in loans))
    (folder / f"historical_data_time_{quarter}.txt").write_text("".join(f"{line}\n" for line in months))
    return folder


def write_book(
    folder: Path, scores: Mapping[str, int], months: Iterable[tuple[str, str, int]], quarter: str = "2019Q1"
) -> Path:
    """Write the two files of a quarter of the small book: scores by loan, and (loan, month, months late)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (("terms", scores.items()), ("months", months)):
        text = "".join(",".join(map(str, line)) + "\n" for line in lines)
        (folder / f"{name}_{quarter}.csv").write_text(text)
    return folder


def write_mapping(path: Path, **changes: Any) -> str:
    """Write the monthly feed's mapping with changes, and return its path for ``--source``."""
    path.write_text(yaml.safe_dump({**MONTHLY_FEED, **changes}, sort_keys=False))
    return str(path)


def write_feed(folder: Path, period: str, rows: Iterable[tuple[str, str, int]]) -> str:
    """Write one month's file of the feed from (loan, month, days past due)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"feed_{period}.csv"
    path.write_text(
        "id,month,days,balance\n" + "".join(f"{loan},{m},{days},100.00\n" for loan, m, days in rows)
    )
    return str(path)


def table_rows(run: Run, table: Table) -> list[dict[str, Any]]:
    """Return a published table's rows in order of its key, without the run's id."""
    return published_rows(run.storage, table, [name for name in table.column_names if name != "run_id"])


def assert_reconciled(deliveries: list[dict[str, Any]], tables: dict[str, int]) -> None:
    """Check that every line of each delivery has a fate, and how many of each kind were published."""
    for delivery in deliveries:
        assert delivery["lines"] == sum(delivery[fate] for fate in FATES), delivery
    for kind, published in tables.items():
        assert sum(row["published"] for row in deliveries if row["kind"] == kind) == published
