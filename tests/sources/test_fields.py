"""From a line's text to typed values."""

from datetime import date
from decimal import Decimal
from typing import Any

from loanbook.section import validated
from loanbook.sources import expressions
from loanbook.sources.fields import read_fields
from loanbook.sources.file_spec import FileSpec
from loanbook.sources.files import find_files
from loanbook.sources.landing import landed_files


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
    text = "360.0|12.345|4.375| a |02/28/2019|201902\n9999|||?||\n1.5|x|y|z|02/30/2019|2019-2\n"
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
