import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from loanbook.evaluation.findings import _teacher
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from loanbook.settings.choice import Choice
from loanbook.settings.model import ModelSettings, load_model_settings
from loanbook.settings.train import TrainSettings
from loanbook.training.fit.alone import Alone
from loanbook.training.fit.member import train_network
from loanbook.training.fit.request import TrainRequest
from loanbook.training.fit.teacher import taught_targets
from loanbook.training.snapshot.read import Snapshot

# The module's own filters do not hold under pytest, which resets them for every test.
pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore::FutureWarning")]

DEFAULT = head("default_12m")
RATE = Choice(name="constant")
TREES = Choice.model_validate({"name": "lightgbm", "trees": 5})


def taught(snapshot: Snapshot, number: int, teacher: Choice, weight: float = 1.0) -> Any:
    return taught_targets(snapshot, snapshot.fold.members[number], DEFAULT, teacher, weight)


def test_each_part_is_taught_by_what_the_others_hold(crossed: Snapshot) -> None:
    frames = {role: crossed.role_frame(role) for role in ("part_0", "part_2")}
    rates = {role: frame["label"].mean() for role, frame in frames.items()}
    found = taught(crossed, 1, RATE, weight=0.7)
    assert set(found) >= set(crossed.training_files(crossed.fold.members[1], 1))
    for role, other in (("part_0", "part_2"), ("part_2", "part_0")):
        targets = np.concatenate([item for file, item in found.items() if f"role={role}" in str(file)])
        expected = 0.3 * frames[role]["label"] + 0.7 * rates[other]
        np.testing.assert_allclose(targets, expected, atol=1e-6)
        assert targets.dtype == np.float32


def test_the_borrowers_of_a_single_network_are_in_parts_too(snapshot: Snapshot) -> None:
    frame = snapshot.role_frame("train")
    frame = frame.assign(said=np.concatenate(list(taught(snapshot, 0, RATE).values())).round(6))
    assert frame.groupby("borrower")["said"].nunique().max() == 1
    parts = frame.groupby("said")
    assert len(parts) == 5
    for said, own in parts:
        others = frame.drop(own.index)
        assert said == pytest.approx(others["label"].mean(), abs=1e-5)


def test_no_label_that_judges_a_member_reaches_what_it_is_taught(crossed: Snapshot, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(crossed.folder, folder)
    for file in (folder / "role=part_0").rglob("*.parquet"):
        frame = pd.read_parquet(file, partitioning=None)
        frame.assign(label=1 - frame["label"]).to_parquet(file, index=False)
    other = Snapshot(folder)

    def said(snapshot: Snapshot, number: int) -> Any:
        return np.concatenate(list(taught(snapshot, number, TREES).values()))

    np.testing.assert_array_equal(said(crossed, 0), said(other, 0))
    assert np.abs(said(crossed, 1) - said(other, 1)).max() > 0.05


def test_what_holds_one_class_teaches_nothing(crossed: Snapshot, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    shutil.copytree(crossed.folder, folder)
    for file in (folder / "role=part_0").rglob("*.parquet"):
        frame = pd.read_parquet(file, partitioning=None)
        frame.assign(label=np.float32(0)).to_parquet(file, index=False)
    frame = crossed.role_frame("part_2")
    for teacher in (RATE, TREES, Choice(name="logistic")):
        found = taught(Snapshot(folder), 1, teacher)
        said = {
            role: np.concatenate([item for file, item in found.items() if f"role={role}" in str(file)])
            for role in ("part_0", "part_2")
        }
        np.testing.assert_array_equal(said["part_2"], frame["label"])
        assert (said["part_0"] > 0).all()


def test_the_networks_of_a_member_have_the_same_teachers(
    crossed: Snapshot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model: ModelSettings = load_model_settings("mlp_64_32", batch_size=512, epochs=1)
    model = model.model_copy(update={"head": "default_12m", "teacher": RATE})
    train = TrainSettings(members=3, fits=2, baselines=(RATE,))
    request = TrainRequest(crossed.folder, tmp_path, model, train, rate=0.05, trainable=True, resume=False)
    with caplog.at_level(logging.INFO):
        for number, learnt in enumerate((2, 2, 4)):
            train_network(request, crossed, Alone(), number)
            assert caplog.text.count("the teacher constant has learnt") == learnt


def test_a_network_says_what_its_teacher_does(snapshot: Snapshot, tmp_path: Path) -> None:
    spreads = {}
    for weight in (1.0, None):
        model: ModelSettings = load_model_settings("mlp_64_32", batch_size=128, epochs=3)
        lesson = {} if weight is None else {"teacher": RATE, "teacher_weight": weight}
        model = model.model_copy(update={"head": "default_12m", **lesson})
        train = TrainSettings(members=1, baselines=(RATE,))
        work = tmp_path / str(weight)
        request = TrainRequest(snapshot.folder, work, model, train, rate=0.05, trainable=True, resume=False)
        train_network(request, snapshot, Alone(), 0)
        network = (work / "trained" / "model" / "0" / "network.onnx").read_bytes()
        predictor = Predictor(network, snapshot.spec, Calibration(method="none"), request.target)
        pds = predictor.predict(*snapshot.rows(("tune",)).inputs)[0]
        spreads[weight] = pds.std()
    assert spreads[1.0] < 0.3 * spreads[None]


def test_the_page_names_the_teacher() -> None:
    model = load_model_settings("distilled").model_dump(mode="json")

    def about(settings: Any) -> dict[str, str]:
        return _teacher(Artefact("m", "1", {"settings.json": json.dumps({"model": settings}).encode()}))

    assert about(model)["Taught by"].startswith("lightgbm, whose PD counts 70% and the label the rest")
    assert about({**model, "teacher": None}) == {}
