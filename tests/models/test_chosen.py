"""Which of the trained models a job works with, and which may never be the book's."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import Row

from loanbook.errors import InputError
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.chosen import TrainedModels
from loanbook.settings.settings import load_settings
from loanbook.warehouse.storage import Storage
from tests.tiny_book import SOURCE, save_model


@pytest.fixture
def run(tmp_path: Path) -> Any:
    settings = load_settings("local", [f"paths.warehouse={tmp_path}"])
    return SimpleNamespace(settings=settings, storage=Storage(settings.paths))


def trained(artefact: Artefact, role: str | None) -> Row:
    name, version = artefact.name, artefact.version
    return Row(
        job="train_model",
        source=SOURCE,
        scenario=None,
        model_role=role,
        model_name=name,
        model_version=version,
    )


def models(run: Any, *published: Row, **settings: Any) -> TrainedModels:
    return TrainedModels(run.storage, published, SOURCE, run.settings.score.model_copy(update=settings))


def test_where_all_are_challengers_one_is_to_be_named(run: Any) -> None:
    artefact = save_model(run, head="default_24m")
    found = models(run, trained(artefact, "challenger"))
    with pytest.raises(InputError, match=r"(?s)only challengers: tiny-net.*--model"):
        found.choose(None, None)
    assert found.choose("tiny-net", None) == artefact


@pytest.mark.parametrize("named", ["tiny-net", "tiny-net/{version}"])
def test_a_model_of_another_horizon_never_leads_by_its_setting(run: Any, named: str) -> None:
    artefact = save_model(run, head="default_24m")
    setting = named.format(version=artefact.version)
    found = models(run, trained(artefact, "challenger"), model=setting)
    with pytest.raises(InputError, match=rf"(?s)score\.model tiny-net {artefact.version}.*within 24 months"):
        found.for_book(None, None)
    assert models(run, trained(artefact, "challenger")).for_book("tiny-net", None).role == "challenger"
    leading = save_model(run, "20200331")
    chosen = models(run, model=f"tiny-net/{leading.version}").for_book(None, None)
    assert (chosen.artefact, chosen.role) == (leading, "book")
