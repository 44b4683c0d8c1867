"""From fitted members of a model and its baselines to the artefact: calibration, metrics, bins, lineage."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from loanbook.book.tape_kind import IDS, TapeKind
from loanbook.models.artefact.artefact import Artefact, member_file, network_file, of_predictor
from loanbook.models.artefact.bins import DevelopmentBins, code_bins, number_bins
from loanbook.models.artefact.mean_onnx import mean_of
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.artefact.saved_artefacts import canonical, save_artefact
from loanbook.models.calibration import Calibration
from loanbook.models.head import Head
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.together import Together
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings, is_bootstrapped
from loanbook.training.fit.trained import Trained
from loanbook.training.judgement import differences_of, judged_levels, losses_of, status_of, training_of
from loanbook.training.snapshot.fold import TEST
from loanbook.training.snapshot.predicted import PredictedSample, predicted_rows
from loanbook.training.snapshot.read import Snapshot, stamp_of
from loanbook.warehouse.storage import Storage

BIN_ROWS = 1_000_000
JUDGED_ROWS = 1_000_000  # of a sample of development, drawn at random; test rows are all judged


def build_artefact(
    storage: Storage,
    name: str,
    snapshot: Snapshot,
    target: Head,
    trained: Trained,
    method: str,
    settings: tuple[TrainSettings, ModelSettings],
) -> Artefact:
    """Calibrate, measure and save a model.

    Args:
        storage: knows where models live.
        name: of the model.
        snapshot: its evidence.
        target: what it predicts.
        trained: the members of the model and of its baselines.
        method: ``trained``, or ``prior`` where nothing could be learnt.
        settings: of the job and of the architecture.
    """
    train, model = settings
    networks = {predictor: mean_of(members) for predictor, members in trained.networks.items()}
    judged = _judged(snapshot, networks, target)
    calibrations = _calibrations(snapshot, target, judged, train)
    losses = {
        sample: losses_of(snapshot, found, calibrations, target)
        for sample, found in judged.items()
        if len(found.frame)
    }
    differences = differences_of(snapshot, judged, calibrations, target)
    levels = judged_levels(snapshot, judged, calibrations, target, method, train.min_defaults)
    bins = DevelopmentBins(inputs=_input_bins(snapshot), scores=_score_bins(judged, target))
    contents = {
        "spec.json": snapshot.spec.model_dump(mode="json"),
        "schema.json": _schema(snapshot.spec),
        "settings.json": {"train": train.model_dump(mode="json"), "model": model.model_dump(mode="json")},
        "splits.json": snapshot.splits,
        "inputs.json": _lineage(snapshot),
        "calibration.json": {name: item.model_dump(mode="json") for name, item in calibrations.items()},
        "metrics.json": {
            **training_of(snapshot, trained, method, losses),
            "bootstrap": method == "trained" and is_bootstrapped(train, len(snapshot.fold.members)),
            **status_of(snapshot, target, trained, method, calibrations, differences, levels, losses),
            "log_loss": losses,
        },
        "bins.json": bins.model_dump(mode="json"),
    }
    files = {
        **{network_file(predictor): content for predictor, content in networks.items()},
        **{member_file(number): weights for number, weights in enumerate(trained.weights)},
        **{file: canonical(content) for file, content in contents.items()},
    }
    return save_artefact(storage, name, stamp_of(snapshot.splits), files)


def _judged(snapshot: Snapshot, networks: Mapping[str, bytes], target: Head) -> dict[str, PredictedSample]:
    """Return what every predictor says, uncalibrated, of each sample that is not of rows that fit it."""
    unchanged = Calibration(method="none")
    predictors = {
        name: Predictor(network, snapshot.spec, unchanged, of_predictor(target, name))
        for name, network in networks.items()
    }
    return {
        sample: predicted_rows(snapshot, sample, predictors, None if sample == TEST else JUDGED_ROWS)
        for sample in snapshot.fold.samples
        if sample != "train"
    }


def _calibrations(
    snapshot: Snapshot, target: Head, judged: Mapping[str, PredictedSample], settings: TrainSettings
) -> dict[str, Calibration]:
    found = judged[snapshot.fold.calibrated_on]
    rows, together = snapshot.rows_of(found.frame), Together.of(found.frame, target.horizon_months)
    return {
        name: of_predictor(target, name).calibrate(members.mean(axis=1), rows, together, settings)
        for name, members in found.members.items()
    }


def _lineage(snapshot: Snapshot) -> dict[str, Any]:
    manifest = snapshot.manifest
    names = ("tables", *IDS, *TapeKind.model_fields, "spec", "train", "label_status", "measured")
    return {"snapshot": snapshot.id, **{name: manifest.get(name) for name in names}}


def _schema(spec: InputSpec) -> list[dict[str, str]]:
    """Return the columns of the model's tensors in order, each with its input and what that reads."""
    items = (*spec.numeric, *spec.categorical, *spec.text, *spec.sequences)
    input_of = {column: item for item in items for column in getattr(item, "columns", [item.column])}
    types = [("float32", name) for name in spec.numeric_columns] + [("int32", n) for n in spec.code_columns]
    return [
        {"type": kind, "column": name, "input": input_of[name].name, "expression": input_of[name].expression}
        for kind, name in types
    ]


def _input_bins(snapshot: Snapshot) -> dict[str, Any]:
    """Return the bins of each input: of a text, of its known words' number; of a sequence, of all steps."""
    spec, frame = snapshot.spec, snapshot.frame(snapshot.fold.samples["train"], BIN_ROWS)
    weight = frame["weight"].to_numpy(np.float64)
    numbers = {item.column: number_bins(frame[item.column], weight) for item in spec.numeric}
    numbers |= {
        item.column: number_bins(frame[item.columns].to_numpy().ravel(), np.repeat(weight, item.steps))
        for item in spec.numeric_sequences
    }
    codes = {
        item.column: code_bins(frame[item.column], len(item.vocabulary), weight) for item in spec.categorical
    }
    codes |= {
        item.column: code_bins((frame[item.columns].to_numpy() > 0).sum(axis=1), item.tokens, weight)
        for item in spec.text
    }
    codes |= {
        item.column: code_bins(
            frame[item.columns].to_numpy().ravel(), item.size - 1, np.repeat(weight, item.steps)
        )
        for item in spec.categorical_sequences
    }
    return {**numbers, **codes}


def _score_bins(judged: Mapping[str, PredictedSample], target: Head) -> dict[str, Any]:
    of_development = [found for sample, found in judged.items() if sample != TEST]
    weight = np.concatenate([one.frame["weight"].to_numpy(np.float64) for one in of_development])
    return {
        name: number_bins(
            np.concatenate(
                [of_predictor(target, name).pd(one.members[name].mean(axis=1)) for one in of_development]
            ),
            weight,
        )
        for name in judged[TEST].members
    }
