"""Rejected lines shown by reason, and written out as they were read."""

import json
import subprocess
import sys

import pytest

from loanbook.cli import main
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.quarantine import QUARANTINE
from tests.quality.delta_files import write_warehouse


def line(number, text, *reasons, kind="performance", source="agency", file="time.txt"):
    return {
        "source": source, "slice": "all", "delivery": f"{file}:abc", "line": number, "file": file,
        "kind": kind, "text": text, "reasons": list(reasons),
    }  # fmt: skip


LINES = [
    line(9, "L9||\x1b[2J é", "missing_state"),
    line(4, " L4|x\t", "unreadable_upb", "missing_state"),
    line(5, "L5" + "|" * 300, "missing_state"),
    line(1, "T1", "unreadable_ltv", kind="loans", file="terms.txt"),
    line(1, "C1", "missing_state", source="cards"),
]


@pytest.fixture
def show(tmp_path, monkeypatch, capsys):
    """Return a function that runs the command: exit code, lines printed, result."""
    monkeypatch.setenv("COLUMNS", "60")
    sources = [{"source": name} for name in ("agency", "cards")]
    folder = write_warehouse(tmp_path / "warehouse", (DELIVERIES, sources), (QUARANTINE, LINES))

    def do(*arguments):
        code = main(["show-quarantine", *arguments, "--set", f"paths.warehouse={folder}"])
        *printed, last = capsys.readouterr().out.splitlines()
        return code, printed, json.loads(last)

    return do


def test_lines_come_by_reason_the_most_frequent_first_and_cut_to_the_terminal(show):
    code, printed, result = show("--limit", "2")
    assert code == 0
    assert printed[:3] == [
        "3 lines  missing_state  (agency, performance: time.txt:abc)",
        "    time.txt:4   L4|x\\t",
        f"    time.txt:5  L5{'|' * 42}",
    ]
    assert (result["lines"], len(result["groups"]), result["exported"]) == (5, 4, None)
    assert result["groups"][0] == {
        "source": "agency", "delivery": "time.txt:abc", "kind": "performance",
        "reason": "missing_state", "lines": 3,
    }  # fmt: skip


def test_a_tape_cannot_steer_the_terminal(show):
    assert "    time.txt:9  L9||\\x1b[2J é" in show()[1]


def test_source_reason_and_delivery_select(show):
    assert show("--source", "cards")[2]["lines"] == 1
    assert show("--delivery", "terms.txt")[1] == show("--delivery", "terms.txt:abc")[1]
    assert [group["reason"] for group in show("--reason", "unreadable_upb")[2]["groups"]] == [
        "unreadable_upb"
    ]
    assert show("--reason", "no_such", "--limit", "0")[1:] == (
        [],
        {
            "job": "show_quarantine",
            "status": "done",
            "lines": 0,
            "exported": None,
            "groups": [],
            "exit_code": 0,
        },
    )


def test_an_export_holds_each_line_once_as_it_was_read_and_overwrites_nothing(show, tmp_path):
    file = tmp_path / "out.txt"
    chosen = ("--source", "agency", "--delivery", "time.txt", "--export", str(file))
    assert show(*chosen, "--limit", "1")[2]["exported"] == 3
    assert file.read_bytes() == f" L4|x\t\nL5{'|' * 300}\nL9||\x1b[2J é\n".encode()
    code, _, result = show(*chosen)
    assert code == 2
    assert "found:    it exists" in result["error"]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (("--source", "agency"), "loans lines of agency, performance lines of agency"),
        ((), "performance lines of cards"),
        (("--reason", "no_such"), "no line"),
    ],
)
def test_an_export_of_several_layouts_or_of_nothing_is_refused(show, tmp_path, chosen, found):
    file = tmp_path / "out.txt"
    code, _, result = show(*chosen, "--export", str(file))
    assert (code, file.exists()) == (2, False)
    assert found in result["error"]


def test_bad_options_are_bad_input(show):
    assert "one of agency, cards" in show("--source", "card")[2]["error"]
    assert "--limit" in show("--limit", "-1")[2]["error"]


def test_the_commands_load_no_spark_and_no_pandas():
    heavy = ("pyspark", "pandas", "numpy", "tensorflow", "pyarrow")
    modules = "loanbook.cli, loanbook.quality.show, loanbook.quality.reconciliation_report"
    code = f"import sys, {modules}; print(sys.modules.keys() & {heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
