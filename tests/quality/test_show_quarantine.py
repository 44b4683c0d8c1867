"""Rejected lines shown by reason, and written out as they were read."""

import json
import subprocess
import sys

import pytest

from loanbook.cli import main
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.quarantine import QUARANTINE
from tests.quality.delta_files import write_warehouse


def line(number, text, *reasons, kind="performance", source="agency", file="time.txt", content="abc", rows=1):
    return {
        "source": source, "slice": "all", "delivery": f"{file}:{content}", "line": number, "file": file,
        "kind": kind, "text": text, "reasons": list(reasons), "rows": rows,
    }  # fmt: skip


LINES = [
    line(9, "L9||\x1b[2J é", "missing_state"),
    line(4, " L4|x\t", "unreadable_upb", "missing_state"),
    line(5, "L5" + "|" * 300, "missing_state"),
    line(7, "M7", "missing_state", file="more.txt"),
    line(1, "T1", "unreadable_ltv", kind="loans", file="terms.txt", rows=0),
    line(2, "T2", "missing_state", kind="loans", file="terms.txt"),
    line(1, "C1", "missing_state", source="cards"),
]
FORTY = {f"m{k:02}.txt": 1 for k in range(40)} | {"m30.txt": 1100, "m20.txt": 5, "m10.txt": 5}
OF_FORTY_FILES = [
    line(k + 1, file, "missing_state", file=file)
    for file, count in reversed(FORTY.items())
    for k in range(count)
]


@pytest.fixture
def lines():
    return LINES


@pytest.fixture
def show(tmp_path, monkeypatch, capsys, lines):
    """Return a function that runs the command on ``lines``: exit code, lines printed, result."""
    monkeypatch.setenv("COLUMNS", "60")
    sources = [{"source": name} for name in ("agency", "cards")]
    folder = write_warehouse(tmp_path / "warehouse", (DELIVERIES, sources), (QUARANTINE, lines))

    def do(*arguments):
        code = main(["show-quarantine", *arguments, "--set", f"paths.warehouse={folder}"])
        *printed, last = capsys.readouterr().out.splitlines()
        return code, printed, json.loads(last)

    return do


def test_lines_come_by_reason_over_all_files_the_most_frequent_first_and_cut_to_the_terminal(show):
    code, printed, result = show("--limit", "3")
    assert code == 0
    assert printed[:5] == [
        "4 lines in 2 files  missing_state  (agency, performance)",
        "    more.txt:7  M7",
        "    time.txt:4   L4|x\\t",
        f"    time.txt:5  L5{'|' * 42}",
        "    most in time.txt:abc (3), more.txt:abc (1)",
    ]
    assert printed[5:8] == [
        "1 line in 1 file  missing_state  (agency, loans)",
        "    terms.txt:2  T2",
        "    in terms.txt:abc (1)",
    ]
    assert (result["lines"], result["rows"], result["exported"]) == (7, 6, None)
    assert "1 line in 1 file, 0 rows  unreadable_ltv  (agency, loans)" in printed
    named = [tuple(group.values()) for group in result["groups"]]
    assert list(result["groups"][0]) == ["source", "kind", "reason", "lines", "rows", "files"]
    assert named == [
        ("agency", "performance", "missing_state", 4, 4, 2),
        ("agency", "loans", "missing_state", 1, 1, 1),
        ("agency", "loans", "unreadable_ltv", 1, 0, 1),
        ("agency", "performance", "unreadable_upb", 1, 1, 1),
        ("cards", "performance", "missing_state", 1, 1, 1),
    ]


@pytest.mark.parametrize("lines", [OF_FORTY_FILES])
def test_of_forty_files_the_three_with_most_lines_are_named(show):
    assert show("--limit", "2")[1] == [
        "1,147 lines in 40 files  missing_state  (agency, performance)",
        "    m00.txt:1  m00.txt",
        "    m01.txt:1  m01.txt",
        "    most in m30.txt:abc (1,100), m10.txt:abc (5), m20.txt:abc (5)",
    ]
    _, printed, result = show("--delivery", "m20.txt", "--limit", "1")
    assert printed == [
        "5 lines in 1 file  missing_state  (agency, performance)",
        "    m20.txt:1  m20.txt",
        "    in m20.txt:abc (5)",
    ]
    assert result["groups"][0]["files"] == 1


@pytest.mark.parametrize(
    "lines",
    [[line(1, "a", "late"), line(1, "b", "late", content="def"), line(2, "c", "late", content="def")]],
)
def test_a_name_delivered_again_with_other_content_is_another_file(show):
    assert show("--limit", "2")[1] == [
        "3 lines in 2 files  late  (agency, performance)",
        "    time.txt:1  a",
        "    time.txt:1  b",
        "    most in time.txt:def (2), time.txt:abc (1)",
    ]


def test_a_tape_cannot_steer_the_terminal(show):
    assert "    time.txt:9  L9||\\x1b[2J é" in show("--limit", "4")[1]


@pytest.mark.parametrize("lines", [[line(1, "A", "late", file=f"{name}\x1b[2J") for name in "ab"]])
def test_nor_can_the_name_of_its_file(show):
    assert show()[1][1:] == [
        "    a\\x1b[2J:1  A",
        "    b\\x1b[2J:1  A",
        "    most in a\\x1b[2J:abc (1), b\\x1b[2J:abc (1)",
    ]


def test_source_reason_and_delivery_select(show):
    assert show("--source", "cards")[2]["lines"] == 1
    assert show("--delivery", "terms.txt")[2]["lines"] == 2
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
            "rows": 0,
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
    modules = "loanbook.cli, loanbook.quality.show_quarantine, loanbook.quality.reconciliation_report"
    code = f"import sys, {modules}; print(sys.modules.keys() & {heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
