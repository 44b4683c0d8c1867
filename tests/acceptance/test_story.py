"""The README's story as a data engineer lives it: a first load in one process, then a month in many."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.processes import ENVIRONMENT, ended, shell, submit

pytestmark = [pytest.mark.train, pytest.mark.acceptance]

QUARTERS = [f"{year}Q{quarter}" for year in (2008, 2009, 2010) for quarter in (1, 2, 3, 4)]
MONTH, NEXT_MONTH = "2016-11-30", "2016-12-31"
TABLES = (
    "deliveries", "loans", "performance", "terminations", "quarantine", "macro", "features", "labels",
    "outcomes", "predictions", "evaluations", "scores",
)  # fmt: skip
BY_MONTH = "SELECT CAST(as_of_date AS VARCHAR) AS month, COUNT(*) AS loans FROM {table} GROUP BY 1 ORDER BY 1"


@dataclass
class Book:
    """A warehouse with the tapes of two months, and what each job has said so far."""

    folder: Path

    def __post_init__(self) -> None:
        self.settings = {
            "paths.warehouse": str(self.folder / "warehouse"), "train.epochs": "1", "train.workers": "1",
        }  # fmt: skip
        self.said: dict[str, dict[str, Any]] = {}
        self.features_before: dict[str, int] = {}

    def do(self, name: str, *arguments: str, submitted: bool = False) -> dict[str, Any]:
        command = (submit if submitted else shell)(name, *arguments, settings=self.settings)
        process = ended(command, self.folder)
        assert process.code == 0, process.stdout + process.stderr
        assert "Traceback" not in process.stderr
        assert process.result["job"] == name.replace("-", "_")
        assert process.result["status"] == "published"
        self.said[name] = process.result
        return process.result

    def ask(self, query: str) -> list[dict[str, Any]]:
        command = shell("sql", query, "--format", "json", settings=self.settings)
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
        answer: list[dict[str, Any]] = json.loads(done.stdout)
        return answer

    def rows(self) -> dict[str, int]:
        counts = " UNION ALL ".join(f"SELECT '{name}' AS name, COUNT(*) AS n FROM {name}" for name in TABLES)
        return {row["name"]: row["n"] for row in self.ask(counts)}

    def by_month(self, table: str) -> dict[str, int]:
        return {row["month"]: row["loans"] for row in self.ask(BY_MONTH.format(table=table))}

    def lines(self, tapes: str) -> int:
        """Count the lines of the performance files of a folder."""
        files = (self.folder / tapes).glob("historical_data_time_*.txt")
        return sum(file.read_bytes().count(b"\n") for file in files)


def cut(tape: Path, to: Path, last: str) -> None:
    """Copy a performance file up to a month; its second field is the month, as YYYYMM."""
    lines = tape.read_text("utf-8").splitlines(keepends=True)
    to.write_text("".join(line for line in lines if line.split("|")[1] <= last), "utf-8")


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Book:
    """The simulated book, delivered twice: up to a month, and with the month after it."""
    made = Book(tmp_path_factory.mktemp("acceptance"))
    simulated = made.do("simulate-tapes", "--size", "tiny", "--out", str(made.folder / "simulated"))
    assert simulated["loans"] > 100
    for month in ("first", "second"):
        (made.folder / month).mkdir()
        for quarter in QUARTERS:
            terms, time = (f"historical_data_{kind}{quarter}.txt" for kind in ("", "time_"))
            whole = made.folder / "simulated" / "tapes"
            (made.folder / month / terms).write_bytes((whole / terms).read_bytes())
            cut(whole / time, made.folder / month / time, "201611" if month == "first" else "201612")
    return made


@pytest.fixture(scope="module")
def loaded(book: Book) -> Book:
    """The first load: every job in one process."""
    simulated = book.folder / "simulated"
    book.do(
        "run-pipeline", "--source", "simulated", "--tapes", str(book.folder / "first"),
        "--macro", str(simulated / "macro"), "--macro-source", "macro_simulated", "--model", "mlp_64_32",
    )  # fmt: skip
    return book


def test_after_the_first_load_every_loan_of_the_book_is_scored(loaded):
    said = loaded.said["run-pipeline"]
    (counted,) = loaded.ask(
        "SELECT SUM(lines) AS lines, SUM(published + quarantined) AS told FROM deliveries"
    )
    assert counted["lines"] == counted["told"]
    assert 0 < loaded.lines("first") - said["loan_months"] <= said["quarantined"]
    rows = loaded.rows()
    assert rows["loans"] == said["loans"]
    assert rows["performance"] == said["loan_months"]
    assert rows["scores"] == said["scores"] == loaded.by_month("features")[MONTH]
    assert loaded.by_month("current_scores") == {MONTH: said["scores"]}
    (row,) = loaded.ask(
        "SELECT MIN(pd_12m) AS low, MAX(pd_12m) AS high, COUNT(pd_12m) AS n FROM latest_scores"
    )
    assert 0 <= row["low"] < row["high"] <= 1
    assert row["n"] == said["scores"]


@pytest.fixture(scope="module")
def second(loaded: Book) -> Book:
    """The month after it, each job a process, of both forms; the model is trained anew once it is scored."""
    loaded.features_before = loaded.by_month("features")
    tapes, macro = str(loaded.folder / "second"), str(loaded.folder / "simulated" / "macro")
    loaded.do("ingest-tapes", "--source", "simulated", "--tapes", tapes, submitted=True)
    loaded.do("ingest-macro", "--source", "macro_simulated", "--files", macro)
    loaded.do("build-features", "--as-of", NEXT_MONTH, submitted=True)
    loaded.do("build-labels")
    loaded.do("score-portfolio", "--as-of", NEXT_MONTH, submitted=True)
    loaded.do("train-model", "--model", "mlp_64_32", submitted=True)
    loaded.do("evaluate-model")
    return loaded


def test_the_second_month_is_added_to_the_first(second):
    ingested, scored = second.said["ingest-tapes"], second.said["score-portfolio"]
    assert ingested["lines"] == ingested["published"] + ingested["quarantined"]
    assert ingested["last_month"] == NEXT_MONTH
    assert 0 < second.lines("second") - ingested["loan_months"] <= ingested["quarantined"]
    features = second.by_month("features")
    assert features == {**second.features_before, NEXT_MONTH: scored["scores"]}
    assert second.by_month("scores") == {MONTH: features[MONTH], NEXT_MONTH: scored["scores"]}
    trained, before = second.said["train-model"], second.said["run-pipeline"]
    assert trained["epochs"] == [1]
    assert trained["model_version"] != before["model_version"]
    assert second.said["evaluate-model"]["model_version"] == trained["model_version"]
    history = second.ask("SELECT DISTINCT status FROM run_history")
    assert history == [{"status": "published"}]
