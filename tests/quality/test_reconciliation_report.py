"""Deliveries printed for an auditor; a line without a fate, or not where it is said to be, is refused."""

import json
from decimal import Decimal

import pytest

from loanbook.cli import main
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from tests.quality.delta_files import write_warehouse


def delivery(slice_, kind, lines, published, **others):
    file = f"{kind}_{slice_}.txt"
    fates = {"quarantined": 0, "superseded": 0, "set_aside": 0, **others}
    upb = None if kind == "macro" else Decimal("100.10") * published
    return {
        "source": "agency", "delivery": file, "slice": slice_, "file": file, "kind": kind, "upb": upb,
        "sha256": "0123456789abcdef", "lines": lines, "rows": lines, "published": published, **fates,
    }  # fmt: skip


def stored(table, **counts):
    return table, [
        {"source": "agency", "delivery": f"{file}.txt"}
        for file, count in counts.items()
        for _ in range(count)
    ]


def deliveries(**changes):
    second = {"lines": 7, "published": 4, "quarantined": 1, "superseded": 2, **changes}
    return [
        delivery("2019Q1", "loans", 2, 2), delivery("2019Q1", "performance", 3, 3),
        delivery("2019Q2", "performance", **second), delivery("all", "macro", 5, 4, set_aside=1),
    ]  # fmt: skip


@pytest.fixture
def reconcile(tmp_path, capsys):
    """Return a function that writes the deliveries and runs the command: code, lines printed, result."""

    def do(rows, *arguments):
        folder = write_warehouse(
            tmp_path / "warehouse", (DELIVERIES, rows), stored(LOANS, loans_2019Q1=2),
            stored(PERFORMANCE, performance_2019Q1=3, performance_2019Q2=4),
            stored(QUARANTINE, performance_2019Q2=1),
        )  # fmt: skip
        code = main(["reconcile", *arguments, "--set", f"paths.warehouse={folder}"])
        *printed, last = capsys.readouterr().out.splitlines()
        return code, printed, json.loads(last)

    return do


def test_an_auditor_can_follow_each_file_and_the_totals(reconcile):
    code, printed, result = reconcile(deliveries())
    assert code == 0
    header, row = printed[1].split(), printed[5].split()
    shown = dict(zip(header, row, strict=False))
    assert (shown["file"], shown["sha256"], shown["superseded"]) == (
        "performance_2019Q2.txt", "0123456789ab", "2",
    )  # fmt: skip
    assert (shown["difference"], shown["not_found"], shown["upb"]) == ("0", "0", "400.40")
    slices = printed[printed.index("(4 rows)") + 2 :]
    assert slices[3].split()[:4] == ["agency", "2019Q1", "2", "5"]
    assert "300.30" in slices[3]
    total = result["totals"][2]
    assert (total["kind"], total["files"], total["lines"], total["upb"]) == ("performance", 2, 10, "700.70")
    assert (result["difference"], result["not_found"]) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"superseded": 1}, "1 of 4 files differ: performance_2019Q2.txt (difference 1, not found 0)"),
        ({"lines": 8, "published": 5}, "(difference 0, not found 1)"),
        ({"lines": 8, "quarantined": 2}, "(difference 0, not found 1)"),
    ],
)
def test_a_line_that_is_not_accounted_for_is_refused_after_the_table(reconcile, changes, found):
    code, printed, result = reconcile(deliveries(**changes))
    assert (code, printed[0]) == (3, "Files")
    assert found in result["error"]


def test_before_anything_is_ingested_it_says_what_to_do(tmp_path, capsys):
    folder = write_warehouse(tmp_path / "warehouse")
    assert main(["reconcile", "--set", f"paths.warehouse={folder}"]) == 2
    assert "run ingest-tapes first" in capsys.readouterr().out
