"""Economic series: long and wide files, and the day from which each value is known."""

from datetime import date

import pytest

from loanbook.errors import InputError
from loanbook.sources.macro_job import ingest_macro
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.macro import MACRO
from loanbook.tables.quarantine import QUARANTINE

LONG = """region,month,series,value
US,2020-01-01,unemployment,3.5
US,2020-01-01,mortgage_rate,3.62
IA,2020-01-01,hpi,201.5
IA,2020-01-01,sunshine,12
IA,2020-13-01,hpi,202.5
IA,2020-02-01,hpi,
US,2020-02-01,unemployment,3.6
US,2020-03-01,unemployment,3.7
"""


@pytest.fixture
def ingest(make_run):
    def do(source, *files, delivered_at=None):
        run = make_run("ingest_macro", source=source)
        return run.finish(ingest_macro(run, files=[str(path) for path in files], delivered_at=delivered_at))

    return do


def values(run):
    rows = run.read(MACRO, made_by="ingest-macro").collect()
    return {(row.region, row.series, row.as_of_date.isoformat()): (row.value, row.known_on) for row in rows}


def test_long_series_are_known_after_their_lag_and_every_line_is_accounted_for(ingest, make_run, tmp_path):
    (tmp_path / "macro.csv").write_text(LONG)
    for _ in range(2):  # again: the same tables
        result = ingest("macro_simulated", tmp_path)
        assert [result[name] for name in ("lines", "published", "quarantined", "set_aside")] == [8, 5, 1, 2]
        found = values(make_run())
        assert len(found) == 5
        assert found["US", "mortgage_rate", "2020-01-31"] == (3.62, date(2020, 1, 31))
        assert found["US", "unemployment", "2020-01-31"] == (3.5, date(2020, 2, 29))
        assert found["IA", "hpi", "2020-01-31"] == (201.5, date(2020, 3, 31))
    (rejected,) = make_run().read(QUARANTINE, made_by="").collect()
    assert (rejected.line, rejected.kind, rejected.reasons) == (
        6,
        "macro",
        ["missing_as_of_date", "unreadable_month"],
    )
    (delivery,) = make_run().read(DELIVERIES, made_by="").collect()
    assert delivery.lines == 8


def test_revisions_are_kept_and_known_from_the_day_of_their_delivery(ingest, make_run, tmp_path):
    path = tmp_path / "macro.csv"
    head, of_us = "region,month,series,value\n", "US,2020-0{}-01,unemployment,{}\n".format
    path.write_text(head + of_us(1, 3.5) + of_us(2, 3.6))
    ingest("macro_simulated", path, delivered_at="2020-04-10")
    path.write_text(head + of_us(1, 3.4) + of_us(2, 3.6) + of_us(5, 13.2))
    for _ in range(2):  # again: nothing more
        result = ingest("macro_simulated", path, delivered_at="2020-06-20")
        rows = make_run().read(MACRO, made_by="").collect()
        assert sorted((row.as_of_date.month, row.value, row.known_on) for row in rows) == [
            (1, 3.4, date(2020, 6, 20)), (1, 3.5, date(2020, 2, 29)),
            (2, 3.6, date(2020, 3, 31)), (5, 13.2, date(2020, 6, 30)),
        ]  # fmt: skip
        assert result["missing_months"] == {"unemployment": {"US": ["2020-03", "2020-04"]}}
    assert len(make_run().read(DELIVERIES, made_by="").collect()) == 2
    for day in (None, "2020-05-01"):
        with pytest.raises(InputError, match="--delivered-at not before 2020-06-20"):
            ingest("macro_simulated", path, delivered_at=day)


def test_a_file_may_state_when_each_value_became_known(ingest, make_run, tmp_path):
    mapping = tmp_path / "vintages.yaml"
    mapping.write_text(
        """name: vintages
lag_months: {unemployment: 1}
files:
  - pattern: vintages\\.csv
    header: true
    fields: {month: date, published: date, value: double}
    region: "'US'"
    month: month
    known_on: published
    values: {unemployment: value}
"""
    )
    (tmp_path / "vintages.csv").write_text(
        "month,published,value\n2020-01-01,2020-02-07,3.6\n2020-01-01,2021-01-08,3.5\n2020-02-01,2020-01-01,9\n"
        "2020-02-01,,3.5\n2020-03-01,,4.4\n2020-04-01,,14.7\n"
    )
    result = ingest(str(mapping), tmp_path / "vintages.csv")
    assert (result["published"], result["quarantined"]) == (5, 1)
    rows = make_run().read(MACRO, made_by="").orderBy("as_of_date", "known_on").collect()
    assert [(row.value, row.known_on) for row in rows[:3]] == [
        (3.6, date(2020, 2, 7)), (3.5, date(2021, 1, 8)), (3.5, date(2020, 3, 31)),
    ]  # fmt: skip


def test_a_value_that_is_none_costs_its_series_alone(ingest, make_run, tmp_path):
    mapping = tmp_path / "wide.yaml"
    mapping.write_text(
        """name: wide
lag_months: {unemployment: 1, hpi: 2}
files:
  - pattern: wide\\.csv
    header: true
    fields: {month: date, uer: double, hpi: double}
    region: "'US'"
    month: month
    values: {unemployment: uer, hpi: hpi}
"""
    )
    cells = ["3.5", ".", "NaN", "#N/A", "null", "", "inf", "1e400", "much", "3.6"]
    lines = "".join(f"2020-{k:02}-01,{cell},{100 + k}\n" for k, cell in enumerate(cells, 1))
    (tmp_path / "wide.csv").write_text(f"month,uer,hpi\n{lines}2020-11-01,inf,.\n9999-12-31,3.5,111\n")
    result = ingest(str(mapping), tmp_path / "wide.csv")
    assert result["series"] == {
        "hpi": [10, "2020-01-31", "2020-10-31"], "unemployment": [2, "2020-01-31", "2020-10-31"],
    }  # fmt: skip
    assert result["missing_months"] == {"unemployment": {"US": [f"2020-{k:02}" for k in range(2, 10)]}}
    assert result["rejected_cells"] == {"not_finite_uer": 2, "unreadable_uer": 1}
    assert [result[name] for name in ("lines", "published", "quarantined")] == [12, 10, 2]
    rows = make_run().read(QUARANTINE, made_by="").orderBy("line").collect()
    assert [(row.line, row.reasons, row.rows) for row in rows] == [
        (8, ["not_finite_uer"], 0), (9, ["not_finite_uer"], 0), (10, ["unreadable_uer"], 0),
        (12, ["not_finite_uer"], 1), (13, ["month_in_bounds"], 1),
    ]  # fmt: skip


def test_another_header_is_bad_input(ingest, tmp_path):
    (tmp_path / "macro.csv").write_text("state,month,value\nIA,2020-01-01,1\n")
    with pytest.raises(InputError, match="the columns region, series"):
        ingest("macro_simulated", tmp_path)


def test_real_series_of_the_us(ingest, make_run, shared_data):
    result = ingest("macro_us", shared_data / "macro")
    lines = sum(len(path.read_text().splitlines()) - 1 for path in (shared_data / "macro").glob("*.csv"))
    assert result["lines"] == lines == result["published"] + result["set_aside"]
    assert result["columns_left_out"] == {}
    assert len(result["series"]) == 9
    assert set(result["series"]) - {*result["series_no_feature_reads"]} == {
        "hpi",
        "unemployment",
        "mortgage_rate",
    }
    assert result["series"]["hpi"][1:] == ["1994-01-31", "2017-12-31"]
    assert values(make_run())["US", "unemployment", "1980-01-31"] == (6.3, date(1980, 2, 29))
