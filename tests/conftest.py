"""One Spark session for the whole run, a fresh warehouse for each test that asks."""

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.property_tests import PROFILE

hypothesis.settings.register_profile("loanbook", PROFILE)
hypothesis.settings.load_profile("loanbook")

ROOT = Path(__file__).parents[1]

TEST_CONF = {
    "spark.master": "local[2]",
    "spark.driver.memory": "2g",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
    "spark.python.sql.dataFrameDebugging.enabled": "false",  # a round trip to the JVM for each expression
    "spark.sql.adaptive.enabled": "false",  # planning again after each shuffle costs a tenth
    "spark.sql.lightweightPlanChangeValidation": "false",  # Spark's check of itself after each rule
    "spark.ui.enabled": "false",  # parallel test runs would fight over its port
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "2",  # tests hold a few thousand rows at most
    "spark.databricks.delta.snapshotPartitions": "1",  # Delta's 50 tasks a snapshot take longer than the rest
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",  # VACUUM makes 10,000 tasks otherwise
    "spark.sql.execution.arrow.maxRecordsPerBatch": "4096",
    # Compiling a plan costs a fifth of the suite, and more than running it on so few rows.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.examples)
        # Costly books: with --dist loadgroup one process makes them for all.
        if {"tiny", "large", "of_two_seeds"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group("simulated"))


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """Undo what a job's command sets: its handler would write to a stream that pytest has closed."""
    logger = logging.getLogger("loanbook")
    before = (logger.handlers[:], logger.level, logger.propagate)
    yield
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    from loanbook.settings.spark import SparkSettings
    from loanbook.warehouse.session import build_session

    session = build_session(SparkSettings(conf=TEST_CONF), "loanbook tests")
    yield session
    session.stop()


@pytest.fixture
def make_run(spark: Any, tmp_path: Path) -> Callable[..., Any]:
    """Return a maker of runs that share one temporary warehouse."""
    from tests.makers import run_maker

    return run_maker(tmp_path)


@pytest.fixture
def shared_data() -> Path:
    """Return the folder of real loan data beside the checkout; the test skips where there is none."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(
            f"the real loan data is absent: no folder {folder.relative_to(ROOT.parent)} beside the checkout"
        )
    return folder


@pytest.fixture(scope="session")
def scored_template(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    """Features of two months, a model and the last month's scores: folder, model, result of the scoring."""
    from loanbook.commands import COMMANDS
    from loanbook.run_job import run_job
    from loanbook.settings.settings import load_settings
    from loanbook.warehouse.runs import Run
    from tests.tiny_book import feature_rows, publish_features, publish_training, save_model

    folder = tmp_path_factory.mktemp("scored") / "warehouse"
    settings = load_settings("local", [f"paths.warehouse={folder}"])
    publish_features(Run("build_features", settings, source="tiny"), feature_rows())
    artefact = save_model(Run("train_model", settings))
    publish_training(Run("train_model", settings), artefact)
    result = run_job(
        Run("score_portfolio", settings), COMMANDS["score-portfolio"], {"model": None, "model_version": None}
    )
    return folder, artefact, result


@pytest.fixture
def scored(scored_template: tuple[Path, Any, Any], tmp_path: Path) -> tuple[Any, Any]:
    """The model and the scoring job's result; the warehouse of ``make_run`` is a copy of the template."""
    folder, artefact, result = scored_template
    shutil.copytree(folder, tmp_path / "warehouse")
    return artefact, result
