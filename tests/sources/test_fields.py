"""From a line's text to typed values."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml

from loanbook.errors import InputError
from loanbook.settings.section import validated
from loanbook.sources.canonical.fields import read_fields
from loanbook.sources.landing.find_files import find_files
from loanbook.sources.landing.landing import landed_files
from loanbook.sources.mapping import expressions
from loanbook.sources.mapping.file_spec import FileSpec


def read(spark: Any, tmp_path: Any, text: str, **options: Any) -> list[dict[str, Any]]:
    (tmp_path / "tape.csv").write_text(text)
    spec = validated(FileSpec, {"kind": "loans", "pattern": ".*", **options}, "file")
    found = find_files([str(tmp_path / "tape.csv")], [spec])
    with landed_files("s", found, tmp_path / "landing", None) as files:
        return [row.asDict() for row in read_fields(spark, files).orderBy("_line").collect()]


def test_values_blanks_sentinels_and_the_unreadable(spark, tmp_path):
    fields = {
        "i": {"type": "int", "missing": ["9999"]}, "m": "money", "d": "double",
        "t": {"missing": ["?"]}, "day": {"type": "date", "format": "MM/dd/yyyy"},
        "month": {"type": "date", "format": "yyyyMM"},
    }  # fmt: skip
    text = "360.0|12.35|4.375| a |02/28/2019|201902\n9999|||?||\n1.5|x|y|z|02/30/2019|2019-2\n"
    good, empty, bad = read(spark, tmp_path, text, fields=fields, delimiter="|")
    values = [good[name] for name in fields]
    assert values == [360, Decimal("12.35"), 4.375, "a", date(2019, 2, 28), date(2019, 2, 1)]
    assert [empty[name] for name in fields] == [None] * 6
    assert good["_reasons"] == empty["_reasons"] == []
    assert bad["_reasons"] == [
        "unreadable_i",
        "unreadable_m",
        "unreadable_d",
        "unreadable_day",
        "unreadable_month",
    ]


NUMBERS = [  # type and form, text, value, and the reasons or flags of its line
    ("money", "1.250", None, ["decimals_f"]),
    ("money", "500.000", None, ["decimals_f"]),
    ("money", "1500.0000", None, ["decimals_f"]),
    ("money", "-1500.5", Decimal("-1500.50"), []),
    ("money", "1e3", 1000, []),
    ("money", "1.25E4", 12500, []),
    ("money", "1.2345e0", None, ["decimals_f"]),
    ("money", "1e400", None, ["unreadable_f"]),
    ("double", "4.5f", None, ["unreadable_f"]),
    ("double", "0x1p3", None, ["unreadable_f"]),
    ({"type": "date", "format": "MM/dd/yyyy"}, "05.01.2018", None, ["unreadable_f"]),
    ({"type": "date", "format": "MM/dd/yyyy"}, "05/01/2018", date(2018, 5, 1), []),
    ("date", "2018/01/05", None, ["unreadable_f"]),
    ("money", "1,250", None, ["unreadable_f"]),
    ({"type": "money", "decimals": 4}, "1.2550", Decimal("1.26"), []),
    ({"type": "money", "decimals": 4}, "1.25501", None, ["decimals_f"]),
    ({"type": "money", "decimal": ",", "thousands": "."}, "-1.234.567,5", Decimal("-1234567.50"), []),
    ({"type": "money", "decimal": ",", "thousands": "."}, "500.000", 500000, []),
    ({"type": "money", "decimal": ",", "thousands": "."}, "1234,56", Decimal("1234.56"), []),
    ({"type": "money", "decimal": ",", "thousands": "."}, "1234.56", None, ["unreadable_f"]),
    ({"type": "money", "decimal": ",", "thousands": "."}, "1,234", None, ["decimals_f"]),
    ({"type": "money", "decimal": ",", "thousands": " "}, "1 234\u00a0567,00", 1234567, []),
    ({"type": "money", "thousands": "'"}, "1'234\u2019567.00", 1234567, []),
    ("int", "360.00", 360, []),
    ("int", "1.000", None, ["decimals_f"]),
    ({"type": "int", "thousands": ","}, "1,250", 1250, []),
    ("double", "4.125", 4.125, []),
    ({"type": "double", "decimal": ","}, "4,125", 4.125, []),
    ("double", "Infinity", None, ["not_finite_f"]),
    ("double", "-inf", None, ["not_finite_f"]),
    ("double", "NaN", None, ["not_finite_f"]),
    ("double", "1e400", None, ["not_finite_f"]),
    ("double", "much", None, ["unreadable_f"]),
    ({"type": "double", "missing": ["NaN"]}, "NaN", None, []),
    ({"type": "date", "missing": ["9999-12-31"]}, "9999-12-31", None, []),
]  # fmt: skip


def test_a_number_has_the_form_that_the_mapping_declares_or_is_not_taken(spark, tmp_path):
    fields = {f"f{place}": form for place, (form, _, _, _) in enumerate(NUMBERS)}
    (row,) = read(
        spark, tmp_path, "|".join(text for _, text, _, _ in NUMBERS) + "\n", fields=fields, delimiter="|"
    )
    said = [*row["_reasons"], *row["_flags"]]
    for place, (form, text, value, names) in enumerate(NUMBERS):
        found = [name.removesuffix(str(place)) for name in said if name.endswith(f"_f{place}")]
        assert (row[f"f{place}"], found) == (value, names), (form, text)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"type": "money", "thousands": "."}, "both '.'"),
        ({"type": "text", "decimal": ","}, "of a number"),
        ({"type": "double", "decimals": 3}, "money or an int"),
    ],
)
def test_a_form_that_no_number_has_is_refused(form, message):
    with pytest.raises(InputError, match=message):
        validated(FileSpec, {"kind": "loans", "pattern": "x", "fields": {"f": form}}, "file")


def test_a_sentinel_may_be_written_as_yaml_takes_it():
    given = yaml.safe_load("{type: date, missing: [9999-12-31, 0001-01-01, 99]}")
    spec = validated(FileSpec, {"kind": "loans", "pattern": "x", "fields": {"f": given}}, "file")
    assert spec.fields["f"].missing == ("9999-12-31", "0001-01-01", "99")


def test_a_column_that_the_header_names_twice_is_refused_unless_the_mapping_says_which(spark, tmp_path):
    text = "id,balance,balance,x,x\n7,1.00,2.00,3,4\n"
    with pytest.raises(InputError) as refused:
        read(spark, tmp_path, text, fields={"balance": "money"}, header=True)
    assert "it at 2, 3 of 5" in refused.value.found
    assert "position: 3" in refused.value.do
    (row,) = read(spark, tmp_path, text, fields={"balance": {"type": "money", "position": 3}}, header=True)
    assert row["balance"] == 2
    with pytest.raises(InputError, match="position: 4"):
        read(spark, tmp_path, text, fields={"balance": {"type": "money", "position": 4}}, header=True)


def test_quotes_hide_delimiters_and_the_header_gives_the_order(spark, tmp_path):
    text = 'x,name,id\n1,"Smith, ""Al""",7\n2,,8\n3,9\n'
    rows = read(spark, tmp_path, text, fields={"id": "int", "name": "text"}, header=True, quote='"')
    assert [(row["id"], row["name"]) for row in rows[:2]] == [(7, 'Smith, "Al"'), (8, None)]
    assert rows[2]["_reasons"] == ["number_of_fields"]


def test_every_function_that_a_mapping_may_use_is_one_of_spark(spark):
    known = {row[0] for row in spark.sql("SHOW FUNCTIONS").collect()}
    parsed = {"coalesce", "exists", "filter", "try_cast"}  # by the parser, not in every list of functions
    assert known | parsed >= expressions.FUNCTIONS | expressions.WINDOW_FUNCTIONS


def test_a_sentinel_written_in_another_way_is_no_number(spark, tmp_path):
    fields = {"i": {"type": "int", "missing": ["999"]}, "m": {"type": "money", "missing": ["999", "U"]}}
    rows = read(spark, tmp_path, "0999|U\n999.0|999.00\n99|9990\nx|U\n", fields=fields, delimiter="|")
    assert [(row["i"], row["m"]) for row in rows] == [(None, None), (None, None), (99, 9990), (None, None)]
    assert [row["_reasons"] for row in rows] == [[], [], [], ["unreadable_i"]]
