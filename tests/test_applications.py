"""One row a loan with its own outcome, by the documentation's mapping: a file in, scores out."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loanbook.models.artefact.saved_artefacts import load_artefact
from loanbook.sql.duckdb import Warehouse
from tests.conftest import ROOT
from tests.makers import run_maker
from tests.test_pipeline import call

pytestmark = pytest.mark.train

LOANS, UNKNOWN = 900, 40


def documented_mapping() -> str:
    text = (ROOT / "docs" / "mapping.md").read_text("utf-8")
    return next(block for block in re.findall(r"```yaml\n(.*?)```", text, re.S) if "outcome:" in block)


def write_applications(folder: Path) -> None:
    """Applications of one year, of which low incomes turn bad; of the last ones nothing is known yet."""
    draw = np.random.default_rng(3)
    lines = ["id,applied,amount,income,job,age,bad"]
    for k in range(LOANS):
        income = draw.choice([900, 1500, 2500, 4000]) + draw.integers(100)
        bad = "" if k >= LOANS - UNKNOWN else int(draw.random() < (0.6 if income < 2000 else 0.1))
        month = 12 * k // LOANS
        applied = f"2019-{month + 1:02}-{1 + k % 28:02}"
        lines.append(f"A{k:04},{applied},{5000 + k},{income},{'ab'[k % 2]},{20 + k % 50},{bad}")
    (folder / "applications.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def folder(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("applications")
    (folder / "shop_applications.yaml").write_text(documented_mapping())
    (folder / "tape").mkdir()
    write_applications(folder / "tape")
    return folder


def test_from_one_file_to_scores(folder: Path) -> None:
    arguments = ("--source", str(folder / "shop_applications.yaml"), "--tapes", str(folder / "tape"))
    job = ("run-pipeline", *arguments, "--model", "mlp_64_32", "--workers", "1")
    found = call(folder / "warehouse", *job, epochs=15)
    assert found["status"] == "published", found
    assert (found["loans"], found["loan_months"], found["scores"]) == (LOANS, LOANS, LOANS)
    assert (found["held_out"], found["evaluation"]) == ("loans", "ok")
    assert 0.6 < found["auc"] < 1
    storage = run_maker(folder)().storage
    warehouse = Warehouse(storage)

    def ask(query: str) -> list[tuple[Any, ...]]:
        return warehouse.ask(query).rows

    assert ask("SELECT label_status, COUNT(*), COUNT(tape_outcome) FROM labels GROUP BY 1 ORDER BY 1") == [
        ("not_matured", UNKNOWN, 0), ("tape_outcome", LOANS - UNKNOWN, LOANS - UNKNOWN)
    ]  # fmt: skip
    assert ask(
        "SELECT COUNT(*), COUNT(DISTINCT loan_id), COUNT(pd_12m), COUNT(pd_outcome),"
        " COUNT(DISTINCT as_of_date), BOOL_OR(rank_only), BOOL_OR(list_contains(quality_flags, 'stale'))"
        " FROM latest_scores"
    ) == [(LOANS, LOANS, 0, LOANS, 12, False, False)]
    methods = ask("SELECT DISTINCT fold, method FROM evaluations WHERE metric = 'auc'")
    assert (
        "held_out_loans",
        "Mann-Whitney, interval clustered by borrower; no interval over time: one block; "
        "on held-out loans, no later time",
    ) in methods
    means = ask(
        "SELECT tape_outcome, AVG(pd_outcome) FROM labels JOIN latest_scores USING (loan_id)"
        " WHERE tape_outcome IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    assert means[1][1] > 1.3 * means[0][1]
    artefact = load_artefact(storage, found["model"], found["model_version"])
    assert artefact.json("inputs.json")["outcome"]["horizon_months"] == 24
    inputs = {item["input"] for item in artefact.json("schema.json")}
    assert "income" in inputs
    assert "age" not in inputs
    content = json.loads((Path(found["report"]).parent / "evaluation.json").read_text())
    assert content["basis"]["held_out"] == "loans"
