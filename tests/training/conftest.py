"""A small snapshot that the training tests share."""

from pathlib import Path
from typing import Any

import pytest

from loanbook.models.heads import head
from loanbook.settings.settings import load_settings
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.build import ensure_snapshot
from loanbook.training.snapshot.read import Snapshot
from loanbook.training.snapshot.snapshot_request import SnapshotRequest
from loanbook.warehouse.storage import Storage
from tests.training.books import CANDIDATES, book

SINGLE = TrainSettings(members=1)


def request_for(**changes: Any) -> SnapshotRequest:
    given = {
        "source": "s",
        "head": head("default_12m"),
        "candidates": CANDIDATES,
        "tables": {"features": 1, "labels": 1},
        "kind": {"catalogue_id": "c", "default_definition_id": "d", "knowledge": "latest"},
        "settings": SINGLE,
        "workers": 2,
    }
    return SnapshotRequest(**{**given, **changes})


@pytest.fixture(scope="session")
def snapshot_storage(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    folder = tmp_path_factory.mktemp("snap #1?[x]=* ")  # names that petastorm or Spark could misread
    return Storage(load_settings("local", [f"paths.warehouse={folder}"]).paths)


@pytest.fixture(scope="session")
def small_book(spark: Any) -> Any:
    features, labels = book(spark, loans=300, months=48)
    return features.cache(), {"labels": labels.cache()}


@pytest.fixture(scope="session")
def snapshot(small_book: Any, snapshot_storage: Storage) -> Snapshot:
    return ensure_snapshot(snapshot_storage, request_for(), *small_book)


@pytest.fixture(scope="session")
def crossed(small_book: Any, snapshot_storage: Storage) -> Snapshot:
    request = request_for(settings=TrainSettings(members=3, test_share=0.3))
    return ensure_snapshot(snapshot_storage, request, *small_book)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    return tmp_path / "work"
