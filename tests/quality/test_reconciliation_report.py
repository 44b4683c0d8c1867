"""Deliveries printed for an auditor; a line without a fate, or not where it is said to be, is refused."""

import json
import re
from decimal import Decimal
from itertools import pairwise

import pytest

from loanbook.cli import main
from loanbook.quality.fates import ENDS
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from tests.quality.delta_files import write_warehouse

UPB = Decimal("100.10")  # of each line of a tape
CENT = Decimal("0.01")
MOST = Decimal("99999999999999.99")  # more cents than a double tells apart
TOLD = ("difference", "not_found", "upb_difference", "upb_not_found")


def delivery(slice_, kind, lines, published, **others):
    file = f"{kind}_{slice_}.txt"
    counts = {fate: others.get(fate, 0) for fate in ENDS} | {"published": published}
    names = {"upb_read": lines, "upb": published, **{f"upb_{fate}": counts[fate] for fate in ENDS[1:]}}
    balances = {name: None if kind == "macro" else UPB * count or None for name, count in names.items()}
    return {
        "source": "agency", "delivery": file, "slice": slice_, "file": file, "kind": kind,
        "sha256": "0123456789abcdef", "lines": lines, "rows": lines, **counts, **balances, **others,
    }  # fmt: skip


def deliveries(**changes):
    second = {"lines": 7, "published": 4, "quarantined": 1, "superseded": 2, **changes}
    return [
        delivery("2019Q1", "loans", 2, 2), delivery("2019Q1", "performance", 3, 3),
        delivery("2019Q2", "performance", **second), delivery("all", "macro", 5, 4, set_aside=1),
    ]  # fmt: skip


def stored(file, upbs, column):
    return [{"source": "agency", "delivery": f"{file}.txt", column: upb} for upb in upbs]


@pytest.fixture
def reconcile(tmp_path, capsys):
    """Return a function that writes the tables and runs the command: code, lines printed, result.

    By default the tables hold what ``deliveries()`` says, loans made from performance lines beside it, and a
    line in quarantine for its terms alone.
    """

    def do(
        rows, *arguments, months=(UPB,) * 4, terms=(UPB,) * 2, rejected=(1, 0)
    ):  # and a line of which only the terms were rejected
        first = stored("performance_2019Q1", [UPB] * 3, "upb")
        derived = stored("performance_2019Q2", [UPB] * 2, "original_upb")
        folder = write_warehouse(
            tmp_path / "warehouse", (DELIVERIES, rows),
            (LOANS, [*stored("loans_2019Q1", terms, "original_upb"), *derived]),
            (PERFORMANCE, [*first, *stored("performance_2019Q2", months, "upb")]),
            (QUARANTINE, stored("performance_2019Q2", rejected, "rows")),
        )  # fmt: skip
        code = main(["reconcile", *arguments, "--set", f"paths.warehouse={folder}"])
        *printed, last = capsys.readouterr().out.splitlines()
        return code, printed, json.loads(last)

    return do


def told(printed, file):
    """Return a file's differences and balances as printed, by the columns' places: some cells are empty."""
    header, rule, *rows = printed[1:7]
    ends = [found.end() for found in re.finditer("-+", rule)]
    names = [found.group() for found in re.finditer(r"\S+", header)]
    cells = [[row[a:b].strip() for a, b in pairwise([0, *ends])] for row in rows]
    shown = next(dict(zip(names, row, strict=True)) for row in cells if file in row)
    return {name: shown[name] for name in shown if name in TOLD or name.startswith("upb")}


def test_an_auditor_can_follow_each_file_and_the_totals(reconcile):
    code, printed, result = reconcile(deliveries())
    assert code == 0
    header, row = printed[1].split(), printed[5].split()
    shown = dict(zip(header, row, strict=False))
    assert (shown["file"], shown["sha256"], shown["superseded"]) == (
        "performance_2019Q2.txt", "0123456789ab", "2",
    )  # fmt: skip
    assert told(printed, "performance_2019Q2.txt") == {
        "difference": "0", "not_found": "0", "upb_read": "700.70", "upb": "400.40",
        "upb_quarantined": "100.10", "upb_superseded": "200.20", "upb_set_aside": "",
        "upb_erased": "", "upb_difference": "0.00", "upb_not_found": "0.00",
    }  # fmt: skip
    assert header[header.index("upb_read") + 1] == "upb"
    slices = printed[printed.index("(4 rows)") + 2 :]
    assert slices[3].split()[:4] == ["agency", "2019Q1", "2", "5"]
    assert slices[3].count("300.30") == 2  # read and published, of performance alone
    assert (result["difference"], result["not_found"]) == (0, 0)
    assert (result["upb_difference"], result["upb_not_found"]) == ("0.00", "0.00")


def test_totals_by_source_and_kind_give_balances_as_text(reconcile):
    totals = {total["kind"]: total for total in reconcile(deliveries())[2]["totals"]}
    total = totals["performance"]
    assert (total["files"], total["lines"]) == (2, 10)
    names = ("upb_read", "upb", "upb_quarantined", "upb_superseded", "upb_set_aside", *TOLD[2:])
    assert [total[name] for name in names] == [
        "1001.00", "700.70", "100.10", "200.20", None, "0.00", "0.00",
    ]  # fmt: skip
    assert totals["loans"]["upb_read"] == "200.20"
    assert (totals["macro"]["upb_read"], totals["macro"]["upb_difference"]) == (None, "0.00")


WRONG = {
    "a line without a fate": ({"superseded": 1, "upb_superseded": UPB * 2}, {}, (1, 0, "0.00", "0.00")),
    "a published line missing": ({}, {"months": (UPB,) * 3}, (0, 1, "0.00", "100.10")),
    "a line twice": ({}, {"months": (UPB,) * 5}, (0, -1, "0.00", "-100.10")),
    "a cent missing": ({}, {"months": (UPB, UPB, UPB, UPB - CENT)}, (0, 0, "0.00", "0.01")),
    "a balance missing": ({}, {"months": (UPB, UPB, UPB, None)}, (0, 0, "0.00", "100.10")),
    "a rejected line missing": ({}, {"rejected": (0,)}, (0, 1, "0.00", "0.00")),
    "a row of a line missing": (
        {"rows": 8, "quarantined": 2, "upb_quarantined": UPB}, {"rejected": (1,)}, (0, 1, "0.00", "0.00"),
    ),
    "a rejected line twice": ({}, {"rejected": (1, 1)}, (0, -1, "0.00", "0.00")),
    "a cent read without a fate": ({"upb_read": UPB * 7 + CENT}, {}, (0, 0, "0.01", "0.00")),
    "a cent in a fate that was not read": ({"upb_quarantined": UPB + CENT}, {}, (0, 0, "-0.01", "0.00")),
    "a cent superseded, not read": ({"upb_superseded": UPB * 2 + CENT}, {}, (0, 0, "-0.01", "0.00")),
    "a cent set aside, not read": ({"upb_set_aside": CENT}, {}, (0, 0, "-0.01", "0.00")),
    "a cent published, neither read nor there": ({"upb": UPB * 4 + CENT}, {}, (0, 0, "-0.01", "0.01")),
    "fates without a reading": ({"upb_read": None}, {}, (0, 0, "-700.70", "0.00")),
    "a balance of which nothing is published": (
        {"upb": None, "upb_superseded": UPB * 6}, {}, (0, 0, "0.00", "-400.40"),
    ),
    "a cent of more than a double holds": (
        {"upb_read": MOST * 4 + UPB * 3, "upb": MOST * 4}, {"months": (MOST, MOST, MOST, MOST - CENT)},
        (0, 0, "0.00", "0.01"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "tables", "differences"), WRONG.values(), ids=WRONG)
def test_a_line_or_balance_that_is_not_accounted_for_is_refused_after_the_table(
    reconcile, changes, tables, differences
):
    code, printed, result = reconcile(deliveries(**changes), **tables)
    assert (code, printed[0]) == (3, "Files")
    shown = dict(zip(TOLD, map(str, differences), strict=True))
    assert shown.items() <= told(printed, "performance_2019Q2.txt").items()
    message = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items())
    assert f"found:    1 of 4 files differ: performance_2019Q2.txt ({message})\n" in result["error"]


def test_files_of_loans_are_compared_with_the_loans(reconcile):
    code, printed, result = reconcile(deliveries(), terms=(UPB, UPB + CENT))
    assert code == 3
    assert told(printed, "loans_2019Q1.txt")["upb_not_found"] == "-0.01"
    expected = "loans_2019Q1.txt (difference 0, not found 0, upb difference 0.00, upb not found -0.01)"
    assert f"1 of 4 files differ: {expected}\n" in result["error"]


def test_balances_that_make_good_for_each_other_are_refused(reconcile):
    rows = deliveries()
    rows[1]["upb_read"] += CENT
    rows[2]["upb_read"] -= CENT
    code, printed, result = reconcile(rows)
    assert code == 3
    assert "2 of 4 files differ: performance_2019Q1.txt" in result["error"]
    total = next(row for row in reversed(printed) if row.startswith("agency  performance"))
    assert total.split()[-2:] == ["0.00", "0.00"]


def test_the_same_file_of_another_source_is_compared_with_that_source_alone(reconcile):
    rows = deliveries()
    rows.append({**rows[1], "source": "cards"})
    _, _, result = reconcile(rows)
    expected = "performance_2019Q1.txt (difference 0, not found 3, upb difference 0.00, upb not found 300.30)"
    assert f"1 of 5 files differ: {expected}\n" in result["error"]


def test_a_source_is_judged_without_the_others(reconcile):
    rows = deliveries()
    rows.append({**rows[1], "source": "cards", "upb_read": CENT})
    assert reconcile(rows, "--source", "agency")[0] == 0


def test_a_file_of_a_kind_without_a_table_is_not_looked_for(tmp_path, capsys):
    rows = [delivery("all", "macro", 5, 4, set_aside=1), delivery("all", "collateral", 2, 2)]
    folder = write_warehouse(tmp_path / "warehouse", (DELIVERIES, rows))
    assert main(["reconcile", "--set", f"paths.warehouse={folder}"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["upb_not_found"] == "0.00"


def test_lines_in_quarantine_are_missing_where_there_is_none(tmp_path, capsys):
    rows = [delivery("all", "macro", 5, 4, quarantined=1)]
    folder = write_warehouse(tmp_path / "warehouse", (DELIVERIES, rows))
    assert main(["reconcile", "--set", f"paths.warehouse={folder}"]) == 3
    assert "(difference 0, not found 1, " in capsys.readouterr().out


def test_before_anything_is_ingested_it_says_what_to_do(tmp_path, capsys):
    folder = write_warehouse(tmp_path / "warehouse")
    assert main(["reconcile", "--set", f"paths.warehouse={folder}"]) == 2
    assert "run ingest-tapes first" in capsys.readouterr().out
