"""Tapes broken in every way that they arrive broken: each has one outcome, and no other file suffers."""

import gzip
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from loanbook.errors import InputError
from loanbook.quality.fates import FATES
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.terminations import TERMINATIONS
from tests.sources.tapes import month, terms, write_freddie

LOAN_NAMES = tuple("ABCDEFGHIJ")
PERIODS = ("201904", "201905", "201906")
LINES = len(LOAN_NAMES) * len(PERIODS)
AT = 4  # the line that is broken, from 0: loan B's second month
LONG = "x" * 1_000_000


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
    "no end of the last line": (lambda content: content[:-1], Outcome(LINES, 0)),
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


def test_a_broken_line_goes_to_quarantine_and_every_other_line_is_published(ingest, rows, tmp_path):
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
    ingest("freddie_mac", tmp_path / "tape")

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
    no_performance: (2, "a file whose name matches"),
    half_a_slice: (2, "a file like .* for each slice"),
}


def test_a_broken_file_publishes_nothing_and_says_why(ingest, rows, make_run, tmp_path):
    good_quarter(tmp_path / "good", "2019Q1")
    ingest("freddie_mac", tmp_path / "good")
    tables = (LOANS, PERFORMANCE, TERMINATIONS, QUARANTINE, DELIVERIES)
    before, versions = {table.name: rows(table) for table in tables}, make_run().published
    for damage, (exit_code, message) in WHOLE_FILES.items():
        bad = tmp_path / damage.__name__
        good_quarter(bad, "2019Q1")
        damage(bad)
        with pytest.raises(InputError, match=f"(?s){message}") as refused:
            ingest("freddie_mac", bad)
        assert refused.value.exit_code == exit_code, damage.__name__
    assert make_run().published == versions
    assert {table.name: rows(table) for table in tables} == before
