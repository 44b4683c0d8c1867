"""Whole files: keys, months, known layouts, problems."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loanbook.sources.inspect.keys import Key
from loanbook.sources.landing.tape_file import TapeFile
from tests.sources.inspect.samples import field_of, inspected, panel, write
from tests.sources.tapes import month, terms


def test_a_field_with_a_month_is_the_key_of_a_panel(tmp_path):
    findings = inspected(write(tmp_path, "feed.csv", panel()))
    assert findings.keys == (Key(("loan_id", "month")),)
    (covered,) = findings.months
    assert (covered.field, covered.first, covered.last, covered.found, covered.span) == (
        "month", "2024-01", "2024-06", 6, 6)  # fmt: skip


def test_a_month_that_lacks_is_counted(tmp_path):
    lines = [line for line in panel() if ",202403," not in line]
    (covered,) = inspected(write(tmp_path, "feed.csv", lines)).months
    assert (covered.found, covered.span) == (5, 6)


def test_repeated_keys_are_counted_where_nothing_is_unique(tmp_path):
    lines = panel(loans=40)
    findings = inspected(write(tmp_path, "feed.csv", [*lines, lines[1], lines[7]]))
    assert findings.keys == (Key(("loan_id", "month"), repeated=2),)


def test_months_may_be_counted_instead_of_dated(tmp_path):
    rows = (f"{loan},{-month},{month % 3}" for loan in range(30) for month in range(12))
    findings = inspected(write(tmp_path, "a.csv", ["ID,MONTHS_BALANCE,S", *rows]))
    assert findings.keys == (Key(("ID", "MONTHS_BALANCE")),)
    assert (findings.months[0].first, findings.months[0].last, findings.months[0].found) == ("-11", "0", 12)


def test_a_blank_key_is_no_key(tmp_path):
    findings = inspected(write(tmp_path, "a.csv", ["id,v", *(f"{k},x" for k in range(300)), ",x"]))
    assert findings.keys == (Key(("id",), blank=1),)


@pytest.mark.parametrize(
    ("name", "line", "kind", "by"),
    [
        ("historical_data_2019Q1.txt", terms("F19Q10000001"), "loans", ("file name", "number of fields")),
        ("orig.txt", terms("F19Q10000001"), "loans", ("number of fields",)),
        ("perf.txt", month("F19Q10000001", "201904"), "performance", ("number of fields",)),
    ],
)
def test_layouts_of_the_same_width_are_told_apart_by_their_values(tmp_path, name, line, kind, by):
    findings = inspected(write(tmp_path, name, [line]))
    assert [(m.source, m.kind, m.by) for m in findings.layouts] == [
        ("freddie_mac", kind, by), ("simulated", kind, by)]  # fmt: skip
    assert findings.fields[0].name == ("credit_score" if kind == "loans" else "loan_sequence_number")


def test_a_header_is_known_whatever_the_order_and_name(tmp_path):
    lines = ["STATUS,ID,MONTHS_BALANCE,more", "C,1,0,x", "0,1,-1,y"]
    (match,) = inspected(write(tmp_path, "a.csv", lines)).known
    assert (match.source, match.kind, match.by) == ("credit_card_status", "performance", ("header",))


def test_a_known_name_with_another_layout_is_a_problem(tmp_path):
    findings = inspected(write(tmp_path, "historical_data_time_2019Q1.txt", ["a|1|2", "b|3|4"]))
    assert findings.known == []
    assert "named as freddie_mac, performance" in findings.problems[0]
    assert "the file has 3 fields" in findings.problems[0]


def test_parquet_is_read_as_an_ingest_does(tmp_path):
    table = pa.table(
        {"id": [1, 2, 3], "month": pa.array([1, 2, None], pa.date32()), "list": [[1], [2], None]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    findings = inspected(TapeFile(tmp_path / "a.parquet", "a.parquet"), 2)
    assert (findings.sample.lines, findings.sample.is_whole) == (2, False)
    assert field_of(findings, "month").format == "yyyy-MM-dd"
    assert [column.to_pylist() for column in findings.sample.columns][2] == ["[1]", "[2]"]


def test_a_last_line_that_is_cut_is_told_from_one_without_an_end(tmp_path):
    for content, words in (("a,b\n1,2\n3,4", "all of its fields"), ("a,b\n1,2\n3", "it is cut short")):
        (tmp_path / "a.csv").write_text(content)
        assert words in inspected(TapeFile(tmp_path / "a.csv", "a.csv")).problems[0]
