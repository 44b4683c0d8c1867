"""The job build-features on a published book, a month at a time, and after corrections."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from delta.tables import DeltaTable

from loanbook.book.months import last_day
from loanbook.errors import InputError
from loanbook.features.catalogue.table import FEATURES
from loanbook.features.job import build_features
from loanbook.tables.base import Table
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.loans import LOANS
from loanbook.tables.neighbourhood import NEIGHBOURHOOD
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse import delta
from loanbook.warehouse.runs import Run
from loanbook.warehouse.storage import Storage
from tests.features.books import START, BookLoan, macro_of, publish
from tests.makers import MakeRun, run_maker

Steps = list[dict[str, Any]]  # what each run of the job found, one after another

LAST = START + 14
BOOK = [
    BookLoan("a", 0, ("current", "dpd30", None, "dpd60", "dpd90") + ("current",) * 10),
    BookLoan("b", 1, ("current",) * 4 + ("prepaid",), {"region": "TX", "zip3": "750"}),
    BookLoan("c", 2, ("current",) * 3),
    BookLoan("d", 5, ("current",) * 10),
]
MOVED = [BOOK[0], replace(BOOK[1], terms={"region": "CA"}), *BOOK[2:]]  # a loan that has left has other terms
MACRO = macro_of(("US", "unemployment", month, 1, 5.0 + month) for month in range(-12, 15))


def built(make_run: MakeRun, job: Callable[[Run], dict[str, Any]], **options: Any) -> dict[str, Any]:
    run = make_run(job.__name__, **options)
    return run.finish(job(run))


def rows_of(run: Run, *tables: Any) -> list[Any]:
    return [
        sorted((row.asDict() for row in run.read(table, made_by="test").collect()), key=str)
        for table in tables
    ]


@pytest.fixture(scope="module")
def whole_template(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The warehouse of a book with its panel, and the result of the job that built it."""
    folder = tmp_path_factory.mktemp("whole")
    publish(run_maker(folder), BOOK, LAST, MACRO)
    return folder, built(run_maker(folder), build_features)


@pytest.fixture
def whole(whole_template: tuple[Path, dict[str, Any]], tmp_path: Path) -> dict[str, Any]:
    """The result of building the whole panel; the warehouse of ``make_run`` is a copy of the template."""
    folder, result = whole_template
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return result


@pytest.fixture(scope="module")
def grown_template(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Steps]:
    """The warehouse of a book with its panel up to the last month but one, and the results of both steps."""
    folder = tmp_path_factory.mktemp("grown")
    return folder, [grown(run_maker(folder), BOOK, month) for month in (LAST - 2, LAST - 1)]


@pytest.fixture
def all_but_last(grown_template: tuple[Path, Steps], tmp_path: Path) -> Steps:
    """The results of these steps; the warehouse of ``make_run`` is a copy of that one."""
    folder, steps = grown_template
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    return steps


@pytest.fixture(scope="module")
def moved_template(grown_template: tuple[Path, Steps], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, after another delivery of all months that no panel is built from yet."""
    folder = tmp_path_factory.mktemp("moved")
    shutil.copytree(grown_template[0], folder, dirs_exist_ok=True)
    publish(run_maker(folder), MOVED, LAST, MACRO)
    return folder


@pytest.fixture
def moved(moved_template: Path, grown_template: tuple[Path, Steps], tmp_path: Path) -> dict[str, int]:
    """Versions published before the last delivery; ``make_run`` runs in a copy of the template."""
    shutil.copytree(moved_template, tmp_path, dirs_exist_ok=True)
    return run_maker(grown_template[0])().published


def test_build_features_again_gives_the_same_rows(make_run: MakeRun, whole: dict[str, Any]) -> None:
    result = whole
    first = rows_of(make_run(), FEATURES)
    assert (result["loans_in_book"], result["loan_months"]) == (2, 15 + 4 + 6 + 10)
    assert (result["first_month"], result["last_month"]) == (str(last_day(START)), str(last_day(LAST)))
    assert built(make_run, build_features)["loan_months"] == 35
    assert rows_of(make_run(), FEATURES) == first
    files = make_run().read(FEATURES, made_by="test").inputFiles()
    assert len(files) == 15


def test_what_cannot_be_built_is_refused_and_writes_nothing(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = [row | {"source": "other"} for row in MACRO[:3]]
    publish(make_run, BOOK, LAST, MACRO + other)
    for as_of in (date(2019, 12, 31), last_day(LAST + 1), date(2020, 3, 15)):
        refuse(make_run("build-features", as_of=as_of), "from 2020-01-31 to 2021-03-31")
    refuse(make_run("build-features"), "unemployment of US from economy, other")
    refuse(make_run("build-features", "default_definition.cure_months=4"), "default definition")
    refuse(make_run("build-features", source="other"), "a source in the warehouse")
    publish(make_run, [*BOOK, BOOK[0]], LAST, MACRO)
    refuse(make_run("build-features"), "two or more of loan a at 2020-01-31")
    with monkeypatch.context() as patched:
        patched.setattr(Storage, "table_folder", lambda *_: None)
        refuse(make_run("build-features"), "two or more of loan a at 2020-01-31")
    publish(make_run, BOOK, LAST, MACRO[:8])
    refuse(make_run("build-features"), "unemployment that ends with 2019-08-31")


def refuse(run: Run, message: str) -> None:
    with pytest.raises(InputError, match=message) as refused:
        build_features(run)
    assert refused.value.exit_code == 2
    assert run.outputs == {}


def refused_as_of(make_run: MakeRun, message: str, *overrides: str) -> None:
    refuse(make_run("build_features", *overrides, as_of=last_day(LAST)), message)


def grown(make_run: MakeRun, book: list[BookLoan], month: int) -> dict[str, Any]:
    """Publish a book up to a month, with what macro was known by then, and bring the panel up to it."""
    publish(make_run, book, month, [row for row in MACRO if row["known_on"] <= last_day(month)])
    return built(make_run, build_features, as_of=last_day(month))


def test_a_month_at_a_time_gives_the_rows_of_a_rebuild_and_so_does_a_correction(
    make_run: MakeRun, all_but_last: Steps
) -> None:
    first, second = all_but_last
    assert (first["months_written"], first["months_made_again"]) == (13, None)
    assert second["months_written"] == 1
    earlier = built(make_run, build_features, as_of=last_day(LAST - 4))
    assert (earlier["months_written"], earlier["loan_months"], earlier["last_month"]) == (
        0,
        0,
        str(last_day(LAST - 1)),
    )
    untouched = [row for row in rows_of(make_run(), FEATURES)[0] if row["loan_id"] == "d"]
    corrected = [
        BookLoan("a", 0, ("current", "dpd30", "current", "dpd60", "dpd90") + ("current",) * 10),
        *BOOK[1:],
    ]
    step = grown(make_run, corrected, LAST)
    assert (step["months_written"], step["loans_in_book"]) == (13, 2)
    assert step["months_made_again"] == [str(last_day(START + 2)), str(last_day(LAST - 1))]
    increments = rows_of(make_run(), FEATURES, FEATURE_STATE, NEIGHBOURHOOD)
    nation = [row for row in increments[2] if row["kind"] == "nation"]
    again = [(row["known_on"], row["at_risk"]) for row in nation if row["as_of_date"] == last_day(START + 2)]
    assert again == [(last_day(START + 2), 2), (last_day(LAST), 3)]  # known from the month that is new
    assert [row for row in increments[0] if row["loan_id"] == "d"][:-1] == untouched
    assert built(make_run, build_features)["months_written"] == 15
    assert rows_of(make_run(), FEATURES, FEATURE_STATE, NEIGHBOURHOOD) == increments


@pytest.mark.usefixtures("all_but_last")
def test_new_loans_and_other_terms_give_the_rows_of_a_rebuild(make_run: MakeRun) -> None:
    new = BookLoan("e", 14, ("current",), {"region": "TX"})
    assert grown(make_run, [*BOOK, new], LAST)["months_made_again"] is None
    others = grown(make_run, [*MOVED, new], LAST)
    assert others["months_made_again"] == [str(last_day(START + 1)), str(last_day(LAST))]
    increments = rows_of(make_run(), FEATURES, FEATURE_STATE, NEIGHBOURHOOD)
    built(make_run, build_features)
    assert rows_of(make_run(), FEATURES, FEATURE_STATE, NEIGHBOURHOOD) == increments


@pytest.mark.usefixtures("whole")
def test_what_the_workers_write_is_what_spark_writes(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_workers = rows_of(make_run(), FEATURES, FEATURE_STATE)
    with monkeypatch.context() as patched:
        patched.setattr(Storage, "table_folder", lambda *_: None)
        built(make_run, build_features)
    assert rows_of(make_run(), FEATURES, FEATURE_STATE) == by_workers


@pytest.mark.usefixtures("all_but_last")
def test_a_panel_made_with_other_settings_is_not_mixed(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(make_run, BOOK, LAST, MACRO)
    refused_as_of(
        make_run, "(?s)book.stale_months 6.*run build-features without --as-of", "book.stale_months=6"
    )
    monkeypatch.setattr("loanbook.features.job.catalogue_id", lambda: "other")
    refused_as_of(make_run, "feature catalogue other")


def files_of(run: Run, table: Table, version: int) -> set[str]:
    return set(delta.read(run.spark, run.storage, table, version).inputFiles())


@pytest.mark.parametrize("table", [PERFORMANCE, LOANS], ids=["performance", "loans"])
def test_without_the_files_last_built_from_every_month_is_built_again(
    make_run: MakeRun, moved: dict[str, int], table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    run = make_run()
    before, now = (files_of(run, table, of[table.name]) for of in (moved, run.published))
    assert before - now
    for uri in before - now:
        Path(urlparse(uri).path).unlink()  # as VACUUM does
    assert built(make_run, build_features, as_of=last_day(LAST))["months_written"] == 15
    assert "no longer kept: every month is built again" in caplog.text


def clean_log(run: Run, table: Table, last: int) -> None:
    """Lose the versions up to ``last`` as Delta does after 60 days."""
    uri = run.storage.table_uri(table.name)
    DeltaTable.forPath(run.spark, uri)._jdt.deltaLog().checkpoint()
    for version in range(last + 1):
        (Path(uri) / "_delta_log" / f"{version:020d}.json").unlink()


@pytest.mark.parametrize("table", [PERFORMANCE, LOANS], ids=["performance", "loans"])
def test_without_the_version_last_built_from_every_month_is_built_again(
    make_run: MakeRun, moved: dict[str, int], table: Table, caplog: pytest.LogCaptureFixture
) -> None:
    clean_log(make_run(), table, moved[table.name])
    assert built(make_run, build_features, as_of=last_day(LAST))["months_written"] == 15
    assert "no longer kept: every month is built again" in caplog.text


@pytest.mark.usefixtures("whole")
def test_sources_stand_side_by_side(make_run: MakeRun) -> None:
    first = rows_of(make_run(), FEATURES)
    publish(make_run, BOOK[1:], LAST, MACRO, source="other")
    for _ in range(2):
        assert built(make_run, build_features, source="other")["loan_months"] == 20
    rows = rows_of(make_run(), FEATURES)[0]
    assert [row for row in rows if row["source"] == "tape"] == first[0]
    assert len(rows) == 35 + 20
