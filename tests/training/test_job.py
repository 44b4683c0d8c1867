import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import functions as F
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from loanbook.errors import InputError
from loanbook.features.catalogue.macro import FEATURES as MACRO
from loanbook.features.catalogue.table import FEATURES
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.earlier import earlier_origins
from loanbook.models.artefact.export import load_weights
from loanbook.models.artefact.saved_artefacts import load_artefact
from loanbook.models.heads import head
from loanbook.models.inputs.candidates import all_candidates
from loanbook.models.inputs.rows import matrices
from loanbook.models.network import build_network
from loanbook.settings.choice import Choice
from loanbook.tables.labels import LABELS
from loanbook.training.fit.request import starting_rate
from loanbook.training.job import train_model
from loanbook.training.snapshot.read import open_snapshot
from loanbook.training.tracking import VERSION_TAG, tracker_of
from loanbook.warehouse.runs import Run
from tests.makers import run_maker
from tests.training.books import book

pytestmark = pytest.mark.train

MakeRun = Callable[..., Run]

FILLED = {
    "reported": "true",
    "months_since_report": "0",
    "knowledge": "'latest'",
    "catalogue_id": "'c'",
    "default_definition_id": "'d'",
    "quality_flags": "array()",
    "original_upb": "balance",
    "region": "'north'",
}


def publish(run: Run, loans: int, months: int) -> None:
    features, labels = book(run.spark, loans, months)
    known = {**{name: name for name in features.columns}, **FILLED}
    columns = [
        F.expr(known.get(column.name, "null")).cast(column.type).alias(column.name)
        for column in FEATURES.columns
    ]
    run.replace(FEATURES, features.select(*columns), "source = 's'")
    main = {"default": F.col("default_12m"), "label": F.col("label_status")}
    given = {**{name: F.col(name) for name in labels.columns}, "default_definition_id": F.lit("d")}
    given["tape_outcome"] = F.lit(None).cast("int")
    filled = [
        given.get(name, main.get(name.split("_")[0], F.lit(None).cast("string"))).alias(name)
        for name in LABELS.column_names
    ]
    run.replace(LABELS, labels.select(*filled), "source = 's'")
    run.finish({})


@pytest.fixture(scope="module")
def published(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse that holds a book of 250 loans."""
    folder = tmp_path_factory.mktemp("published")
    publish(run_maker(folder)("build"), loans=250, months=48)
    return folder / "warehouse"


@pytest.fixture
def of_book(published: Path, make_run: MakeRun, tmp_path: Path) -> MakeRun:
    """A maker of runs on a copy of that warehouse."""
    shutil.copytree(published, tmp_path / "warehouse")
    return make_run


def test_tables_to_an_artefact_whose_members_are_means_of_several_fits(of_book: MakeRun) -> None:
    asked = (
        "train.members=2", "train.fits=2", "train.bootstrap=true", "train.batch_size=128", "train.epochs=8",
        "train.inputs_added=[state_last_12m,upb_last_12m]",
    )  # fmt: skip
    run = of_book("train_model", *asked)
    found = train_model(run, model="mlp_64_32", workers=2)
    assert found["model"] == "s-mlp_64_32"
    assert found["method"] == "trained"
    assert set(run.inputs) == {"features", "labels"}

    artefact = load_artefact(run.storage, found["model"], found["model_version"])
    snapshot = open_snapshot(run.storage, artefact.snapshot_id)
    frame = snapshot.role_frame("test")
    assert artefact.json("splits.json")["folds"][0]["shares"] == {"part_0": 0.5, "part_1": 0.5}
    assert artefact.json("inputs.json")["tables"] == run.inputs
    assert not run.storage.snapshot_folder("_training").exists() or not any(
        run.storage.snapshot_folder("_training").iterdir()
    )
    assert_of_all_predictors(artefact, frame)
    assert_bins(artefact)
    assert_losses(artefact, found)
    assert len(artefact.members) == len(set(artefact.members)) == len(found["epochs"]) == 4
    assert found["members"] == 2
    assert artefact.json("metrics.json")["bootstrap"] is True
    assert_members_are_means(artefact, matrices(frame, artefact.spec))


def assert_of_all_predictors(artefact: Artefact, frame: Any) -> None:
    assert artefact.predictors == ("model", "logistic", "constant", "lightgbm", "matrix")
    for which in artefact.predictors:
        raw, pd = artefact.predictor(which).predict(*matrices(frame, artefact.spec))
        assert 0 < raw.min() <= raw.max() < 1
        assert (raw.min() == raw.max()) == (which == "constant")
        assert pd.mean() == pytest.approx(frame["label"].mean(), rel=0.3), which
        assert set(artefact.bins.scores[which].shares) != {0.0}


def assert_bins(artefact: Artefact) -> None:
    inputs = {item["input"] for item in artefact.json("schema.json")}
    assert inputs >= {"ltv", "state", "income", "attribute_purpose", "original_upb", "note"}
    categories = {item.column for item in artefact.spec.categorical}
    numbers = {item.column for item in artefact.spec.numeric}
    lasts = {"s_state_last_12m", "s_upb_last_12m"}
    assert set(artefact.bins.inputs) == numbers | categories | lasts | {"t_note"}
    assert artefact.bins.inputs["s_state_last_12m"].shares[1] == pytest.approx(0.52, abs=0.03)
    words = artefact.bins.inputs["t_note"].shares
    assert {count: round(share, 1) for count, share in enumerate(words) if share} == {0: 0.1, 4: 0.9}


def assert_losses(artefact: Artefact, found: dict[str, Any]) -> None:
    metrics = artefact.json("metrics.json")
    assert metrics["tune_log_loss"]["model"] < min(one[0]["tune_log_loss"] for one in metrics["history"])
    assert metrics["log_loss"]["out_of_fold"]["model"]["raw"] == metrics["tune_log_loss"]["model"]
    losses = {name: item["calibrated"] for name, item in metrics["log_loss"]["out_of_fold"].items()}
    assert found["best"]["predictor"] == min(losses, key=lambda name: losses[name]) != "constant"
    assert f"{losses['model']:.5f}" in found["best"]["because"]


def assert_members_are_means(artefact: Artefact, inputs: Any) -> None:
    of_members = artefact.predictor().members(*inputs)[:, :, 0]
    assert of_members.shape[1] == 2
    backbone = Choice.model_validate(artefact.json("settings.json")["model"]["backbone"])
    for member in range(2):
        of_fits = []
        for weights in artefact.members[2 * member : 2 * member + 2]:
            network = build_network(artefact.spec, backbone, head("default_12m"), rate=0.1, seed=1)
            load_weights(network, weights)
            of_fits.append(network.probabilities(network.feed(*inputs)).numpy()[:, 0])
        np.testing.assert_allclose(of_members[:, member], np.mean(of_fits, axis=0), rtol=1e-4)
        assert np.abs(of_fits[0] - of_fits[1]).max() > 1e-4


def test_earlier_origins_are_trained_once_as_back_tests_and_twice_the_same(of_book: MakeRun) -> None:
    baselines = "[{name: constant}, {name: lightgbm, trees: 20}]"
    asked = ("train.members=1", "train.epochs=1", "train.test_months=6", f"train.baselines={baselines}")
    alone = train_model(of_book("train_model", *asked), model="mlp_64_32", workers=1)
    assert alone["earlier_origins"] == []
    recorded = ("tracking.server=local", "tracking.tensorboard=true")
    run = of_book("train_model", *asked, *recorded, "train.folds=4")
    rolled = train_model(run, model="mlp_64_32", workers=1)
    versions = {rolled["model_version"], *(one["model_version"] for one in rolled["earlier_origins"])}
    tracker = tracker_of(run.settings.tracking, run.storage)
    assert tracker is not None
    recorded_runs = tracker.client.search_runs([tracker.experiment])
    assert {one.data.tags[VERSION_TAG] for one in recorded_runs} == versions
    assert {one.data.tags["loanbook.run_id"] for one in recorded_runs} == {run.run_id}
    events = list(run.storage.tracking_folder("tensorboard", rolled["model"]).glob("*/network_1/*tfevents*"))
    assert len(events) == 3
    written = EventAccumulator(str(events[0].parent), size_guidance={"tensors": 0}).Reload()
    assert {"tune_log_loss", "learning_rate"} <= set(written.Tags()["tensors"])
    assert [one.step for one in written.Tensors("tune_log_loss")] == [0, 1]
    assert rolled["model_version"] == alone["model_version"]
    assert [one["fold"] for one in rolled["earlier_origins"]] == ["fold2", "fold1"]  # there is no fourth
    newest = open_snapshot(run.storage, rolled["snapshot"]).fold
    windows = [(one["test_from"], one["test_to"]) for one in rolled["earlier_origins"]]
    assert sorted([*windows, (str(newest.test_from), str(newest.test_to))]) == [
        ("2011-07-31", "2011-12-31"), ("2012-01-31", "2012-06-30"), ("2012-07-31", "2012-12-31"),
    ]  # fmt: skip
    for one in rolled["earlier_origins"]:
        assert set(one["test_log_loss"]) == {"model", "constant", "lightgbm"}
        artefact = load_artefact(run.storage, rolled["model"], one["model_version"])
        snapshot = open_snapshot(run.storage, artefact.snapshot_id)
        assert str(snapshot.frame(["train", "tune"])["as_of_date"].max()) <= one["development_to"]
        assert one["development_to"] < one["test_from"]
    artefact = load_artefact(run.storage, rolled["model"], rolled["model_version"])
    assert [one.version for one in earlier_origins(run.storage, artefact)] == [
        one["model_version"] for one in reversed(rolled["earlier_origins"])
    ]
    challenger = train_model(
        of_book("train_model", *asked, "train.folds=4"), model="mlp_64_32", workers=1, challenger=True
    )
    assert challenger["earlier_origins"] == rolled["earlier_origins"]
    assert "training" not in challenger["phase_seconds"]


@pytest.mark.parametrize(
    ("loans", "months", "method"),
    [(60, 30, "trained"), (20, 8, "prior")],
    ids=["few defaults", "no matured cohort"],
)
def test_a_small_book_still_gets_a_model(make_run: MakeRun, loans: int, months: int, method: str) -> None:
    publish(make_run("build"), loans, months)
    run = make_run("train_model", "train.epochs=2", "train.batch_size=64")
    found = train_model(run, model="mlp_64_32", workers=1)
    assert (found["model_status"], found["method"]) == ("insufficient", method)
    assert found["reasons"]
    artefact = load_artefact(run.storage, found["model"], found["model_version"])
    assert artefact.calibration("model").uncalibrated
    features = run.read(FEATURES, made_by="build-features").limit(50)
    from loanbook.models.inputs.model_inputs import model_inputs

    frame = model_inputs(features, artefact.spec).toPandas()
    _, pd = artefact.predictor().predict(*matrices(frame, artefact.spec))
    assert pd.shape == (50, 1)
    assert ((pd > 0) & (pd < 1)).all()
    if months == 8:
        assert pd == pytest.approx(run.settings.train.prior_pd, rel=1e-5)


def test_nothing_published_is_refused(make_run: MakeRun) -> None:
    with pytest.raises(InputError, match="published table features"):
        train_model(make_run("train_model"), model="mlp_64_32")


def test_starting_rate() -> None:
    assert starting_rate(0, 0, 0.02) == 0.02
    assert starting_rate(10, 100, 0.02) == pytest.approx(0.104, abs=1e-3)


def test_inputs_are_added_and_left_out_by_name_and_a_protected_one_is_refused(of_book: MakeRun) -> None:
    run = of_book()
    features = run.read(FEATURES, made_by="test")
    usual = {item.name for item in all_candidates(features)}
    assert {"income", "state", "mtm_ltv"} <= usual
    assert {item.name for item in all_candidates(features, ("vintage",))} == usual | {"vintage"}
    fewer = {item.name for item in all_candidates(features, (), ("macro", "income", "note"))}
    assert usual - fewer == {"income", "note", *(item.name for item in MACRO if item.default_input)}
    with pytest.raises(InputError, match="did you mean 'vintage'"):
        all_candidates(features, ("vintag",))
    with pytest.raises(InputError, match="'sex', an attribute of the tape with the role protected"):
        all_candidates(features, ("sex",), role_of={"sex": "protected"}.get)
