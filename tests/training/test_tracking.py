import sys
from pathlib import Path
from typing import Any

import pytest

from loanbook.errors import InputError
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.saved_artefacts import canonical
from loanbook.settings.settings import load_settings
from loanbook.training.tracking import VERSION_TAG, Tracker, tracker_of
from loanbook.warehouse.storage import Storage

pytestmark = pytest.mark.train

HISTORY = [
    [{"epoch": 0, "tune_log_loss": 0.3}, {"epoch": 1, "train_log_loss": 0.25, "tune_log_loss": 0.2}],
    [{"epoch": 0, "tune_log_loss": 0.4}],
]
DOCUMENTS: dict[str, Any] = {
    "settings.json": {"train": {"seed": 17, "borrower": ["income"]}, "model": {"head": "default_12m"}},
    "inputs.json": {"snapshot": "snap", "tables": {"features": 3, "labels": 4}},
    "metrics.json": {
        "status": "ok",
        "history": HISTORY,
        "log_loss": {"test": {"model": {"raw": 0.2, "calibrated": 0.1}}},
    },
}


def artefact(version: str = "20200131-abc") -> Artefact:
    return Artefact("s-tabm", version, {name: canonical(content) for name, content in DOCUMENTS.items()})


def tracker(folder: Path, **asked: str) -> Tracker | None:
    given = [f"paths.warehouse={folder}", *(f"tracking.{name}={value}" for name, value in asked.items())]
    settings = load_settings("local", given)
    return tracker_of(settings.tracking, Storage(settings.paths))


def runs(found: Tracker) -> list[Any]:
    return list(found.client.search_runs([found.experiment]))


def test_a_model_is_recorded_once_with_all_that_it_came_from(tmp_path: Path) -> None:
    files = tmp_path / "model"
    files.mkdir()
    (files / "metrics.json").write_bytes(artefact().files["metrics.json"])
    found = tracker(tmp_path / "warehouse #1", server="local")
    assert found is not None
    found.record(artefact(), files, "run-1")
    found.record(artefact(), files, "run-2")
    assert len(runs(found)) == 1
    found.record(artefact("20200229-def"), files, "run-2")
    again = tracker(tmp_path / "warehouse #1", server="local")
    assert again is not None
    assert again.experiment == found.experiment
    (run,) = (one for one in runs(again) if one.data.tags[VERSION_TAG] == "20200131-abc")
    assert run.info.status == "FINISHED"
    assert run.data.params == {
        "train.seed": "17", "train.borrower": '["income"]', "model.head": "default_12m",
    }  # fmt: skip
    assert run.data.tags["loanbook.table.features"] == "3"
    assert run.data.tags["loanbook.run_id"] == "run-1"
    assert run.data.metrics["log_loss/test/model"] == 0.1
    curve = again.client.get_metric_history(run.info.run_id, "network_1/tune_log_loss")
    assert [(one.step, one.value) for one in curve] == [(0, 0.3), (1, 0.2)]
    listed = again.client.list_artifacts(run.info.run_id, "artefact")
    assert [one.path for one in listed] == ["artefact/metrics.json"]

    page = tmp_path / "report"
    page.mkdir()
    (page / "report.html").write_text("<html>")
    again.add(artefact(), {"auc": 0.9, "source": "s", "kl_to_truth": None}, page)
    evaluated = again.client.get_run(run.info.run_id)
    assert evaluated.data.metrics["evaluation/auc"] == 0.9
    assert "evaluation/source" not in evaluated.data.metrics
    assert again.client.list_artifacts(run.info.run_id, "evaluation")[0].path == "evaluation/report.html"


def test_what_mlflow_cannot_hold_is_said_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    found = tracker(tmp_path, server="local")
    assert found is not None
    taken = tmp_path / "_tracking" / "artifacts"
    taken.write_text("a file where the folder of artefacts should be")
    files = tmp_path / "model"
    files.mkdir()
    (files / "metrics.json").write_text("{}")
    found.record(artefact(), files, "run-1")
    assert "MLflow did not record s-tabm 20200131-abc" in caplog.text
    assert [one.info.status for one in runs(found)] == ["FAILED"]
    taken.unlink()
    found.record(artefact(), files, "run-2")  # what failed is no record
    assert sorted(one.info.status for one in runs(found)) == ["FAILED", "FINISHED"]


def test_a_server_is_asked_for_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tracker(tmp_path) is None
    with pytest.raises(InputError, match=r"server at tracking\.server\n.*127\.0\.0\.1:9"):
        tracker(tmp_path, server="http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    with pytest.raises(InputError, match=r"install the extra tracking"):
        tracker(tmp_path, server="local")
