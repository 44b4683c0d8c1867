"""A scored warehouse, made once and copied for each test that asks for it."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from loanbook.commands import COMMANDS, run_job
from loanbook.config import load_settings
from loanbook.models.artefact import Artefact
from loanbook.runs import Run
from tests.scoring.tiny_book import feature_rows, publish_features, publish_training, save_model

LAST = {"model": None, "model_version": None}


@pytest.fixture(scope="session")
def scored_template(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Artefact, Any]:
    """Features of two months, a model and the last month's scores: folder, model, result of the scoring."""
    folder = tmp_path_factory.mktemp("scored") / "warehouse"
    settings = load_settings("local", [f"paths.warehouse={folder}"])
    publish_features(Run("build_features", settings, source="tiny"), feature_rows())
    artefact = save_model(Run("train_model", settings))
    publish_training(Run("train_model", settings), artefact)
    result = run_job(Run("score_portfolio", settings), COMMANDS["score-portfolio"], LAST)
    return folder, artefact, result


@pytest.fixture
def scored(scored_template: tuple[Path, Artefact, Any], tmp_path: Path) -> tuple[Artefact, Any]:
    """The model and the scoring job's result; the warehouse of ``make_run`` is a copy of the template."""
    folder, artefact, result = scored_template
    shutil.copytree(folder, tmp_path / "warehouse")
    return artefact, result
