"""Delimiters, quote signs and headers."""

import pytest

from loanbook.sources.inspect.dialect import find_dialect, has_header
from tests.sources.inspect.samples import inspected, write


@pytest.mark.parametrize("delimiter", ["|", "\t", ";", ",", "^", "~"])
def test_the_delimiter_is_the_one_that_divides_evenly(delimiter):
    rows = [
        ["id", "seller", "rate"],
        *([str(k), "BANK, N.A." if delimiter != "," else "B", "5.1"] for k in range(9)),
    ]
    dialect = find_dialect([delimiter.join(row) for row in rows])
    assert (dialect.delimiter, dialect.width, dialect.counts) == (delimiter, 3, {3: 10})


@pytest.mark.parametrize("header", [["id;a;b"], []])
def test_decimal_commas_divide_nothing(header):
    lines = [*header, *(f"{k};{k},5;{k},25" for k in range(20))]
    assert find_dialect(lines).delimiter == ";"


def test_a_quoted_delimiter_divides_nothing_and_quotes_are_doubled():
    lines = ['1,"a, b",2', '2,"say ""x""",3', "3,plain,4"]
    dialect = find_dialect(lines)
    assert (dialect.quote, dialect.counts) == ('"', {3: 3})
    assert [dialect.cut(line)[1] for line in lines] == ["a, b", 'say "x"', "plain"]


def test_an_inch_sign_is_no_quote():
    assert find_dialect(['1,5" pipe', '2,7" pipe']).quote is None


def test_odd_lines_are_counted_and_shown():
    dialect = find_dialect([*["a|b|c"] * 20, "a|b", "", "a|b|c|d"])
    assert dialect.counts == {3: 20, 2: 1, 4: 1}
    assert dialect.odd == ((21, "a|b"), (23, "a|b|c|d"))
    assert (dialect.blank_lines, dialect.last_width) == (1, 4)


def test_one_field_has_no_delimiter():
    assert find_dialect(["0001AAA", "0002BBB"]).delimiter is None


@pytest.mark.parametrize(
    ("first", "others", "found"),
    [
        (["id", "month"], [["1", "202401"]], True),
        (["F19Q1", "201904"], [["F19Q1", "201905"]], False),
        (["code", "state"], [["A", "FL"], ["B", "FL"]], True),
        (["A", "FL"], [["A", "TX"], ["B", "FL"]], False),
        (["loan", "12/31/2024"], [["1", "5"]], False),
        (["", "", "x"], [["1", "2", "3"]], False),
    ],
)
def test_a_header_is_names_above_values(first, others, found):
    assert has_header(first, others)[0] is found


def test_a_header_below_a_title_is_found_and_said(tmp_path):
    lines = ["Notes of the lender", "id,month,v", *(f"{k},202401,{k}" for k in range(200)), "Total: 200"]
    findings = inspected(write(tmp_path, "a.csv", lines))
    assert [field.name for field in findings.fields] == ["id", "month", "v"]
    assert "in line 2" in findings.sample.header_by
    assert findings.sample.rows == 200
    assert (
        "2 lines without the usual 3 fields (line 1: 'Notes of the lender'; line 203" in findings.problems[0]
    )


def test_a_header_that_repeats_or_lacks_a_name_is_a_problem(tmp_path):
    findings = inspected(write(tmp_path, "a.csv", ["id,id,,v", "1,2,3,4", "5,6,7,8"]))
    assert [field.name for field in findings.fields] == ["id", "id_2", "field_3", "v"]
    assert findings.problems == ("the header repeats id", "the header leaves 1 field without a name")
