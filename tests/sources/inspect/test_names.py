"""A mapping that inspect-tape wrote is ingested unedited, whatever the header of the tape."""

import argparse
import csv
import io
from datetime import date

import pytest

from loanbook.sources.inspect.command import inspect_tape
from loanbook.sources.inspect.names import field_names, quoted
from loanbook.sources.landing.columns import positions
from loanbook.sources.landing.find_files import find_files
from loanbook.sources.landing.landing import landed_files
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.mapping_files import load_mapping
from loanbook.tables.performance import PERFORMANCE

HEADER = [
    "", "loan`id", "Report date", "days/past due", "days/past due", "x", "X", "a.b", "it's", 'say "x"', "",
    " spaced ", "2nd", "_line", "select", "früh", "tab\there", "% of income", "x_2",
]  # fmt: skip


def tape(header=HEADER):
    rows = [
        [str(k), f"L{loan}", f"2024-{month:02d}-15", str(late), "9", *("v" for _ in header[5:])]
        for k, (loan, month, late) in enumerate((n % 5, 1 + n // 5, 35 * (n % 2)) for n in range(30))
    ]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return "\ufeff" + out.getvalue()


@pytest.fixture
def mapped(tmp_path):
    path = tmp_path / "tape.csv"
    path.write_text(tape(), "utf-8")
    mapping = tmp_path / "new.yaml"
    inspect_tape(argparse.Namespace(files=[str(path)], lines=0, write_mapping=str(mapping)))
    return path, mapping


def test_each_field_of_the_mapping_is_the_column_that_was_seen(mapped, tmp_path):
    path, mapping = mapped
    (spec,) = load_mapping(TapeMapping, str(mapping)).files
    with landed_files("s", find_files([str(path)], [spec]), tmp_path / "landing", None) as (file,):
        assert list(positions(file).values()) == list(range(len(HEADER)))
    assert "It loads as it is. " in mapping.read_text()


def test_it_is_ingested_as_it_is(mapped, ingest, rows):
    path, mapping = mapped
    result = ingest(str(mapping), path, delivered_at="2024-07-01")
    assert (result["published"], result["quarantined"], result["columns_left_out"]) == (30, 0, {})
    first = rows(PERFORMANCE)[0]
    assert (first["loan_id"], first["as_of_date"], first["state"]) == ("L0", date(2024, 1, 31), "current")
    assert {row["state"] for row in rows(PERFORMANCE)} == {"current", "dpd30"}


def test_names_differ_by_more_than_case_and_are_quoted_where_sql_needs_it():
    names = field_names(HEADER)
    assert len({name.lower() for name in names}) == len(HEADER)
    assert names[:2] == ("field_1", "loan_id")
    assert [quoted(name) for name in ("upb", "2nd", "a.b", "früh", "order")] == [
        "upb", "`2nd`", "`a.b`", "`früh`", "`order`",
    ]  # fmt: skip
