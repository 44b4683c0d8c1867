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
    def do(source, *files):
        run = make_run("ingest_macro", source=source)
        return run.finish(ingest_macro(run, files=[str(path) for path in files]))

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
        5,
        "macro",
        ["missing_as_of_date", "unreadable_month"],
    )
    (delivery,) = make_run().read(DELIVERIES, made_by="").collect()
    assert delivery.lines == 8


def test_another_header_is_bad_input(ingest, tmp_path):
    (tmp_path / "macro.csv").write_text("state,month,value\nIA,2020-01-01,1\n")
    with pytest.raises(InputError, match="the columns region, series"):
        ingest("macro_simulated", tmp_path)


def test_real_series_of_the_us(ingest, make_run, shared_data):
    result = ingest("macro_us", shared_data / "macro")
    lines = sum(len(path.read_text().splitlines()) - 1 for path in (shared_data / "macro").glob("*.csv"))
    assert result["lines"] == lines == result["published"] + result["set_aside"]
    assert result["series"]["hpi"][1:] == ["1994-01-31", "2017-12-31"]
    assert values(make_run())["US", "unemployment", "1980-01-31"] == (6.3, date(1980, 2, 29))
