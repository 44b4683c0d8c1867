"""A run killed between its last commit and its row in ``runs``: what was published stays, whatever runs next.

Each case kills one job, lets the next job and another month run, and only then the killed one again.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from loanbook.commands import COMMANDS
from loanbook.features.catalogue.table import FEATURES
from loanbook.run_job import run_job
from loanbook.sql.duckdb import Warehouse
from loanbook.tables.evaluations import EVALUATIONS
from loanbook.tables.labels import LABELS
from loanbook.tables.loans import LOANS
from loanbook.tables.macro import MACRO
from loanbook.tables.neighbourhood import NEIGHBOURHOOD
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.predictions import PREDICTIONS
from loanbook.tables.scores import SCORES
from loanbook.warehouse.runs import Run
from tests.evaluation.test_job import trained
from tests.makers import MakeRun, run_maker
from tests.sources.tapes import write_feed, write_mapping
from tests.tiny_book import publish_training, save_model

JANUARY, FEBRUARY, MARCH, APRIL = (date(2019, 1, 31), date(2019, 2, 28), date(2019, 3, 31), date(2019, 4, 30))
LOANS_OF_FEED = 8
MODEL = {"model": None, "model_version": None}


class Killed(BaseException):
    """What stops a run where a kill would, without an end of its own."""


def feed(folder: Path, *months: int) -> dict[str, Any]:
    """Write the files of some months; loan 0 is late from March on."""
    tapes = [
        write_feed(
            folder,
            f"2019{month:02d}",
            [
                (f"L{loan}", f"2019{month:02d}", 40 if loan == 0 and month >= 3 else 0)
                for loan in range(LOANS_OF_FEED)
            ],
        )
        for month in months
    ]
    return {"tapes": tapes, "delivered_at": None}


@pytest.fixture(scope="session")
def story(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse of three months, of which features, labels and scores are built."""
    folder = tmp_path_factory.mktemp("story")
    mapping = write_mapping(
        folder / "feed.yaml",
        slices="months",
        loans={"of": "performance", "columns": {"loan_id": "id", "original_upb": "balance"}},
    )
    make = run_maker(folder)
    do(make, "ingest-tapes", source=mapping, **feed(folder / "tapes", 1, 2, 3))
    do(make, "build-features", as_of=MARCH)
    do(make, "build-labels")
    model = save_model(make("train_model"), source="monthly_feed")
    publish_training(make("train_model"), model)
    do(make, "score-portfolio", as_of=MARCH, **MODEL)
    return folder


@pytest.fixture
def make(story: Path, tmp_path: Path) -> MakeRun:
    """Return a maker of runs in a copy of the story's warehouse."""
    shutil.copytree(story, tmp_path, dirs_exist_ok=True)
    return run_maker(tmp_path)


def do(
    make: MakeRun, job: str, source: str | None = None, as_of: date | None = None, **arguments: Any
) -> Any:
    return run_job(make(job.replace("-", "_"), as_of=as_of, source=source), COMMANDS[job], arguments)


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def killed(make: MakeRun, job: str, **arguments: Any) -> None:
        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(Run, "_append_row", _die)
            do(make, job, **arguments)

    return killed


def _die(*_: object) -> None:
    raise Killed


def months(make: MakeRun, table: Any) -> dict[date, int]:
    """Return the rows of each month that a reader sees, the same by Spark and without it."""
    run = make()
    found = Counter(row["as_of_date"] for row in run.read(table, made_by="x").select("as_of_date").collect())
    query = f"SELECT as_of_date, COUNT(*) FROM {table.name} GROUP BY ALL"
    assert dict(Warehouse(run.storage).ask(query).rows) == found
    return dict(found)


def every(*days: date) -> dict[date, int]:
    return dict.fromkeys(days, LOANS_OF_FEED)


def test_ingest(make: MakeRun, kill: Any, tmp_path: Path) -> None:
    mapping = str(tmp_path / "feed.yaml")
    kill(make, "ingest-tapes", source=mapping, **feed(tmp_path / "tapes", 4))
    assert months(make, PERFORMANCE) == every(JANUARY, FEBRUARY, MARCH)
    do(make, "build-features")
    assert max(months(make, FEATURES)) == MARCH
    do(make, "ingest-tapes", source=mapping, **feed(tmp_path / "tapes", 5))
    assert sum(months(make, PERFORMANCE).values()) == 4 * LOANS_OF_FEED
    assert APRIL not in months(make, PERFORMANCE)
    do(make, "ingest-tapes", source=mapping, **feed(tmp_path / "tapes", 4))
    assert months(make, PERFORMANCE)[APRIL] == LOANS_OF_FEED
    assert make().read(LOANS, made_by="x").count() == LOANS_OF_FEED


def test_ingest_of_another_source_keeps_what_the_first_published(
    make: MakeRun, kill: Any, tmp_path: Path
) -> None:
    other = write_mapping(tmp_path / "other.yaml", name="other", slices="months")
    kill(make, "ingest-tapes", source=other, **feed(tmp_path / "tapes", 1))
    do(make, "ingest-tapes", source=str(tmp_path / "feed.yaml"), **feed(tmp_path / "tapes", 4))
    assert months(make, PERFORMANCE) == every(JANUARY, FEBRUARY, MARCH, APRIL)
    do(make, "ingest-tapes", source=other, **feed(tmp_path / "tapes", 1))
    assert months(make, PERFORMANCE)[JANUARY] == 2 * LOANS_OF_FEED


def test_build_features_and_labels(make: MakeRun, kill: Any, tmp_path: Path) -> None:
    do(make, "ingest-tapes", source=str(tmp_path / "feed.yaml"), **feed(tmp_path / "tapes", 4))
    around = make().read(NEIGHBOURHOOD, made_by="x").count()
    kill(make, "build-features", as_of=APRIL)
    assert months(make, FEATURES) == every(JANUARY, FEBRUARY, MARCH)
    assert make().read(NEIGHBOURHOOD, made_by="x").count() == around
    kill(make, "build-labels")
    assert months(make, LABELS) == every(JANUARY, FEBRUARY, MARCH)
    do(make, "score-portfolio", as_of=FEBRUARY, **MODEL)
    assert months(make, SCORES) == every(FEBRUARY, MARCH)
    do(make, "build-labels")
    do(make, "build-features", as_of=APRIL)
    assert months(make, LABELS) == months(make, FEATURES) == every(JANUARY, FEBRUARY, MARCH, APRIL)


def test_score_portfolio(make: MakeRun, kill: Any) -> None:
    kill(make, "score-portfolio", as_of=MARCH, **MODEL)
    assert months(make, SCORES) == every(MARCH)
    do(make, "score-portfolio", as_of=FEBRUARY, **MODEL)
    assert months(make, SCORES) == every(FEBRUARY, MARCH)
    again = do(make, "score-portfolio", as_of=MARCH, **MODEL)
    assert months(make, SCORES) == every(FEBRUARY, MARCH)
    ask = Warehouse(make().storage).ask
    assert ask("SELECT as_of_date, COUNT(*) FROM current_scores GROUP BY ALL ORDER BY ALL").rows == [
        (FEBRUARY, LOANS_OF_FEED),
        (MARCH, LOANS_OF_FEED),
    ]
    assert ask(f"SELECT DISTINCT run_id FROM scores WHERE as_of_date = '{MARCH}'").rows == [
        (again["run_id"],)
    ]
    assert months(make, SCORES) == every(FEBRUARY, MARCH)


def test_ingest_macro(make: MakeRun, kill: Any, tmp_path: Path) -> None:
    mapping = tmp_path / "rates.yaml"
    mapping.write_text(
        "name: rates\nlag_months: {rate: 0}\nfiles:\n  - pattern: .*\\.csv\n    header: true\n"
        "    fields: {month: date, rate: double}\n"
        "    region: \"'US'\"\n    month: month\n    values: {rate: rate}\n"
    )

    def series(name: str, rows: int) -> dict[str, Any]:
        file = tmp_path / f"{name}.csv"
        file.write_text("month,rate\n" + "".join(f"2019-0{k + 1}-01,{k}.5\n" for k in range(rows)))
        return {"source": str(mapping), "files": [str(file)], "delivered_at": None}

    do(make, "ingest-macro", **series("first", 2))
    kill(make, "ingest-macro", **series("second", 3))
    assert make().read(MACRO, made_by="x").count() == 2
    do(make, "ingest-tapes", source=str(tmp_path / "feed.yaml"), **feed(tmp_path / "tapes", 4))
    assert make().read(MACRO, made_by="x").count() == 2
    do(make, "ingest-macro", **series("second", 3))
    assert make().read(MACRO, made_by="x").count() == 3


def test_an_erased_loan_is_in_no_table_and_every_count_says_so(make: MakeRun, tmp_path: Path) -> None:
    erased = do(make, "erase-loan", source="monthly_feed", loan_id=["L1"])
    assert erased["erased"]["performance"] == 3
    for table in (PERFORMANCE, FEATURES, LABELS, SCORES, LOANS):
        run = make()
        loans = {row["loan_id"] for row in run.read(table, made_by="x").select("loan_id").collect()}
        assert loans == {f"L{k}" for k in range(LOANS_OF_FEED) if k != 1}, table.name
    counted = Warehouse(make().storage).ask("SELECT SUM(published), SUM(erased) FROM deliveries").rows
    assert counted == [(3 * (LOANS_OF_FEED - 1), 3)]
    do(make, "ingest-tapes", source=str(tmp_path / "feed.yaml"), **feed(tmp_path / "tapes", 4))
    do(make, "build-features", as_of=APRIL)
    assert months(make, FEATURES)[MARCH] == LOANS_OF_FEED - 1


def test_evaluate_model(make_run: MakeRun, kill: Any) -> None:
    judged = trained(make_run)
    arguments = {"truth": None, "model": judged.name, "model_version": judged.version}
    do(make_run, "evaluate-model", **arguments)
    before = make_run().read(PREDICTIONS, made_by="x").count()
    kill(make_run, "evaluate-model", **arguments)
    other = save_model(make_run("train_model"), "20200229", bias=2.0)
    do(make_run, "evaluate-model", truth=None, model=other.name, model_version=other.version)
    run = make_run()
    assert run.read(PREDICTIONS, made_by="x").count() == 2 * before
    versions = {
        row["model_version"] for row in run.read(EVALUATIONS, made_by="x").select("model_version").collect()
    }
    assert versions == {judged.version, other.version}
