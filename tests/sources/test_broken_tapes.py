"""Tapes broken in every way that they arrive broken: each has one outcome, and no other file suffers."""

import gzip
import json
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from loanbook.cli import main
from loanbook.quality.fates import FATES
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.terminations import TERMINATIONS
from tests.sources.tapes import MONTHLY_FEED, month, terms, write_freddie, write_mapping

LOAN_NAMES = tuple("ABCDEFGHIJ")
PERIODS = ("201904", "201905", "201906")
LINES = len(LOAN_NAMES) * len(PERIODS)
AT = 4  # the line that is broken, from 0: loan B's second month
LONG = "x" * 1_000_000
Command = Callable[..., tuple[int, dict[str, Any]]]


def performance(quarter: str) -> list[str]:
    """Return the months of a quarter's loans, by loan."""
    return [month(f"{quarter}-{name}", period) for name in LOAN_NAMES for period in PERIODS]


def good_quarter(folder: Path, quarter: str) -> None:
    write_freddie(folder, [terms(f"{quarter}-{name}") for name in LOAN_NAMES], performance(quarter), quarter)


def time_file(folder: Path, quarter: str) -> Path:
    return folder / f"historical_data_time_{quarter}.txt"


def in_line(change: Callable[[list[str]], Iterable[str]]) -> Callable[[bytes], bytes]:
    """Return the break that rewrites the fields of one line."""

    def broken(content: bytes) -> bytes:
        lines = content.decode().splitlines()
        lines[AT] = "|".join(change(lines[AT].split("|")))
        return "".join(f"{line}\n" for line in lines).encode()

    return broken


def with_field(number: int, text: str) -> Callable[[bytes], bytes]:
    return in_line(lambda fields: [*fields[: number - 1], text, *fields[number:]])


def with_line(line: bytes) -> Callable[[bytes], bytes]:
    return lambda content: line + b"\n" + content


def repeat_line(content: bytes) -> bytes:
    return content + content.splitlines(keepends=True)[AT]


class Outcome(NamedTuple):
    """What becomes of the rows of the performance file, and why lines are in quarantine."""

    published: int = LINES - 1
    quarantined: int = 1
    superseded: int = 0
    set_aside: int = 0
    reasons: tuple[str, ...] = ()


HEADER = "|".join(f"name {number}" for number in range(1, 33)).encode()
IN_LINES: dict[str, tuple[Callable[[bytes], bytes], Outcome]] = {
    "the last line is cut": (lambda content: content[:-20], Outcome(reasons=("number_of_fields",))),
    "the last line is cut inside its last field": (
        lambda content: content[:-1] + b"248000.0", Outcome(reasons=("unended_last_line",)),
    ),
    "a line of Latin-1": (
        lambda content: content.replace(b"|0.00|", b"|caf\xe9|", 1),
        Outcome(reasons=("encoding", "unreadable_deferred_upb")),
    ),
    "a byte-order mark": (lambda content: b"\xef\xbb\xbf" + content, Outcome(LINES, 0)),
    "line ends of Windows": (lambda content: content.replace(b"\n", b"\r\n"), Outcome(LINES, 0)),
    "a delimiter too many": (in_line(lambda fields: ["", *fields]), Outcome(reasons=("number_of_fields",))),
    "columns shifted by one": (
        in_line(lambda fields: [*fields[1:], ""]),
        Outcome(reasons=(
            "missing_as_of_date", "unreadable_reporting_period", "unreadable_zero_balance_period",
        )),
    ),
    "a header where none belongs": (with_line(HEADER), Outcome(LINES, 1)),
    "a blank line": (with_line(b""), Outcome(LINES, 1, reasons=("number_of_fields",))),
    "year and month swapped": (
        with_field(2, "102001"), Outcome(reasons=("month_after_1970",)),
    ),
    "a month that no year has": (
        with_field(2, "201913"), Outcome(reasons=("missing_as_of_date", "unreadable_reporting_period")),
    ),
    "a month to come": (with_field(2, "299901"), Outcome(reasons=("future_month",))),
    "a key twice": (repeat_line, Outcome(LINES, 0, superseded=1)),
    "a balance below zero": (with_field(3, "-1.00"), Outcome(reasons=("upb_not_negative",))),
    "a code that is new": (
        with_field(9, "77"), Outcome(reasons=("missing_state", "unknown_zero_balance_code")),
    ),
    "a delinquency that is new": (
        with_field(4, "ZZ"), Outcome(reasons=("missing_state", "unknown_delinquency_code")),
    ),
    "no loan": (with_field(1, ""), Outcome(reasons=("missing_loan_id",))),
    "a line of a million characters": (
        with_line(LONG.encode()), Outcome(LINES, 1, reasons=("number_of_fields",)),
    ),
}  # fmt: skip


def quarter_of(number: int) -> str:
    return f"{2000 + number // 4}Q{number % 4 + 1}"


def expected_totals() -> tuple[int, int]:
    """Return how many rows all quarters publish, with their terms, and how many go to quarantine."""
    whole = Outcome(LINES, 0)  # the quarter that comes in an archive with a folder
    outcomes = [whole, *(outcome for _, outcome in IN_LINES.values())]
    terms_of_all = len(outcomes) * len(LOAN_NAMES)
    return terms_of_all + sum(of.published for of in outcomes), sum(of.quarantined for of in outcomes)


def test_a_broken_line_goes_to_quarantine_and_every_other_line_is_published(command, rows, tmp_path):
    quarters = {quarter_of(number): name for number, name in enumerate(IN_LINES)}
    for quarter, name in quarters.items():
        good_quarter(tmp_path / "tape", quarter)
        path = time_file(tmp_path / "tape", quarter)
        path.write_bytes(IN_LINES[name][0](path.read_bytes()))
    good_quarter(tmp_path / "tape", "1999Q1")
    with zipfile.ZipFile(tmp_path / "tape" / "historical_data_1999Q1.zip", "w") as archive:
        archive.writestr("folder/", "")
        for path in (tmp_path / "tape").glob("*1999Q1.txt"):
            archive.write(path, f"folder/{path.name}")
            path.unlink()
    code, said = command(tmp_path, "freddie_mac", tmp_path / "tape")
    assert (code, said["published"], said["quarantined"]) == (0, *expected_totals())

    deliveries = {row["slice"]: row for row in rows(DELIVERIES) if row["kind"] == "performance"}
    quarantine = {row["slice"]: row for row in rows(QUARANTINE)}
    found = {
        quarters.get(quarter, "a zip with a folder in it"): Outcome(
            **{fate: row[fate] for fate in FATES},
            reasons=tuple(quarantine[quarter]["reasons"] if row["quarantined"] else ()),
        )
        for quarter, row in deliveries.items()
    }
    header = found["a header where none belongs"]
    assert {"missing_as_of_date", "unreadable_current_upb", "missing_state"} <= set(header.reasons)
    found["a header where none belongs"] = header._replace(reasons=())
    wanted = {name: outcome for name, (_, outcome) in IN_LINES.items()}
    assert found == {"a zip with a folder in it": Outcome(LINES, 0), **wanted}
    texts = {quarters[quarter]: row["text"] for quarter, row in quarantine.items()}
    assert texts["a line of a million characters"] == LONG
    assert r"|caf\xe9|" in texts["a line of Latin-1"]


def commas(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_text(path.read_text().replace("|", ","))


def cut_gzip(folder: Path) -> None:
    path = time_file(folder, "2019Q1")
    whole = gzip.compress(path.read_bytes())
    path.with_suffix(".txt.gz").write_bytes(whole[: len(whole) // 2])
    path.unlink()


def empty(folder: Path) -> None:
    time_file(folder, "2019Q1").write_text("")


def utf_16(folder: Path) -> None:
    path = time_file(folder, "2019Q1")
    path.write_text(path.read_text(), "utf-16")


def an_archive_by_another_name(folder: Path) -> None:
    path = time_file(folder, "2019Q1")
    path.write_bytes(gzip.compress(path.read_bytes()))


def every_month_swapped(folder: Path) -> None:
    path = time_file(folder, "2019Q1")
    for period in PERIODS:
        path.write_text(path.read_text().replace(period, period[4:] + period[:4]))


def every_line_twice(folder: Path) -> None:
    path = time_file(folder, "2019Q1")
    path.write_text(path.read_text() * 2)


def cut_all(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_text("".join(line.rsplit("|", 1)[0] + "\n" for line in path.read_text().splitlines()))


def no_performance(folder: Path) -> None:
    time_file(folder, "2019Q1").unlink()


def half_a_slice(folder: Path) -> None:
    good_quarter(folder, "2020Q1")
    time_file(folder, "2020Q1").unlink()


WHOLE_FILES: dict[Callable[[Path], None], tuple[int, str]] = {
    commas: (2, r"32 or 3[15] fields divided by '\|'"),
    cut_all: (2, r"32 or 3[15] fields divided by '\|'"),
    cut_gzip: (2, r"whole archive historical_data_time_2019Q1\.txt\.gz"),
    empty: (2, "at least one line of data"),
    utf_16: (2, "utf-16"),
    an_archive_by_another_name: (2, "gzip data under a name without"),
    every_month_swapped: (3, r"30 of 30 in historical_data_time_2019Q1\.txt.*unreadable_reporting_period"),
    every_line_twice: (3, r"30 of 60 in historical_data_time_2019Q1\.txt"),
    no_performance: (2, "a file whose name matches"),
    half_a_slice: (2, "a file like .* for each slice"),
}


@pytest.fixture
def command(spark, capsys) -> Command:
    """Return a function that ingests a tape by the command line: its exit code and last line of stdout."""

    def do(
        folder: Path, source: str, tape: Path, settings: tuple[str, ...] = ()
    ) -> tuple[int, dict[str, Any]]:
        given = [f"paths.warehouse={folder / 'warehouse'}", *settings]
        options = [part for setting in given for part in ("--set", setting)]
        code = main(["ingest-tapes", "--source", source, "--tapes", str(tape), *options])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        said = json.loads(captured.out.splitlines()[-1])
        assert said["exit_code"] == code
        return code, said

    return do


def test_a_broken_file_publishes_nothing_and_says_why(command, rows, make_run, tmp_path):
    good_quarter(tmp_path / "good", "2019Q1")
    assert command(tmp_path, "freddie_mac", tmp_path / "good")[0] == 0
    tables = (LOANS, PERFORMANCE, TERMINATIONS, QUARANTINE, DELIVERIES)
    before, versions = {table.name: rows(table) for table in tables}, make_run().published
    for damage, (exit_code, message) in WHOLE_FILES.items():
        bad = tmp_path / damage.__name__
        good_quarter(bad, "2019Q1")
        damage(bad)
        code, said = command(tmp_path, "freddie_mac", bad)
        assert (code, said["status"]) == (exit_code, "failed"), damage.__name__
        assert re.search(message, said["error"], re.DOTALL), damage.__name__
    assert make_run().published == versions
    assert {table.name: rows(table) for table in tables} == before


def fannie_month(loan: str, day: str) -> str:
    given = {1: loan, 2: day, 4: "6.375", 5: "128000.00", 7: "360", 9: "08/2037", 11: "0", 12: "N"}
    return "|".join(given.get(number, "") for number in range(1, 32)) + "\n"


def fannie_terms(loan: str) -> str:
    line = "|C|BANK|6.375|128000|360|06/2007|09/2007|54|54|1|58|651|N|C|SF|1|P|OR|974||FRM|||N\n"
    return loan + line


def test_days_and_months_swapped_throughout_are_refused(command, rows, tmp_path):
    for name, form in (("good", "{month:02d}/01/2008"), ("swapped", "01/{month:02d}/2008")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "Acquisition_2007Q3.txt").write_text("".join(map(fannie_terms, LOAN_NAMES)))
        lines = [fannie_month(loan, form.format(month=month)) for loan in LOAN_NAMES for month in range(1, 7)]
        (folder / "Performance_2007Q3.txt").write_text("".join(lines))
    assert command(tmp_path, "fannie_mae", tmp_path / "good")[0] == 0
    before = rows(PERFORMANCE)
    code, said = command(tmp_path, "fannie_mae", tmp_path / "swapped")
    assert (code, len(before)) == (3, 60)
    assert "50 of 60 in Performance_2007Q3.txt" in said["error"]
    assert rows(PERFORMANCE) == before


GOOD = "id,month,days,balance\nA,{month},0,1\n"
QUOTED: dict[str, tuple[str, tuple[int, int]]] = {  # lines, and how many are published and in quarantine
    "a comma in quotes": ('id,month,days,balance\n"A, B",{month},0,"1.00"\n', (1, 0)),
    "a flood of quote signs": (GOOD + '"' + '""' * 40_000 + '",{month},,1\n', (1, 1)),
    "a million characters in quotes": (f'{GOOD}"{LONG}",{{month}},,1\n', (1, 1)),
    "an open quote": (GOOD + '"B,{month},0,1\nC,{month},0,1\n', (2, 1)),
    "a line break in quotes": (GOOD + '"B\nC",{month},0,1\n', (1, 2)),
}
NO_DATA = {"no byte at all": "", "only a header": "id,month,days,balance\n"}


def test_quotes_and_headers_gone_wrong(command, rows, tmp_path):
    spec = {**MONTHLY_FEED["files"][0], "quote": '"'}
    source = write_mapping(tmp_path / "feed.yaml", files=[spec])
    (tmp_path / "quoted").mkdir()
    names = {f"20200{number}": name for number, name in enumerate(QUOTED, 1)}
    for month_of, name in names.items():
        (tmp_path / "quoted" / f"feed_{month_of}.csv").write_text(QUOTED[name][0].format(month=month_of))
    settings = ("ingest.max_quarantined_share=0.9",)
    assert command(tmp_path, source, tmp_path / "quoted", settings)[0] == 0
    found = {names[row["slice"]]: (row["published"], row["quarantined"]) for row in rows(DELIVERIES)}
    assert found == {name: counts for name, (_, counts) in QUOTED.items()}
    for name, text in NO_DATA.items():
        tape = tmp_path / "feed_202101.csv"
        tape.write_text(text)
        code, said = command(tmp_path, source, tape, settings)
        assert code == 2, name
        assert "at least one line of data" in said["error"], name
