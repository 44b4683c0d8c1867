"""From a trained network and its baselines to the artefact: calibration, metrics, bins, lineage."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from loanbook.book.tape_kind import IDS, TapeKind
from loanbook.models.artefact.artefact import MODEL, Artefact, canonical, network_file, save_artefact
from loanbook.models.artefact.bins import DevelopmentBins, code_bins, number_bins
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.binary_head import TAPE_OUTCOME
from loanbook.models.calibration import Calibration
from loanbook.models.calibration_rows import Clusters
from loanbook.models.clustered import Interval
from loanbook.models.head import Floats, Head
from loanbook.models.inputs.rows import Rows
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.log_loss import log_loss
from loanbook.models.shortfalls import log_loss_difference, said_of, shortfalls_of
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.read import Snapshot, stamp_of
from loanbook.training.snapshot.splits import HELD_OUT
from loanbook.warehouse.storage import Storage

BIN_ROWS = 1_000_000
DEVELOPMENT = ("tune", "calibrate", "calibrate_check")


def build_artefact(
    storage: Storage,
    name: str,
    snapshot: Snapshot,
    target: Head,
    trained: Mapping[str, bytes],
    result: Mapping[str, Any],
    settings: tuple[TrainSettings, ModelSettings],
) -> Artefact:
    """Calibrate, measure and save a model.

    Args:
        storage: knows where models live.
        name: of the model.
        snapshot: its evidence.
        target: what it predicts.
        trained: files of the networks and of the members' weights.
        result: what the training returned: epochs, history, log losses, parameters.
        settings: of the job and of the architecture.
    """
    train, model = settings
    frames = {role: snapshot.role_frame(role) for role in HELD_OUT}
    rows = {role: snapshot.rows_of(frame) for role, frame in frames.items()}
    which = (MODEL, *result["baselines"])
    raw = {name: _raw(trained[network_file(name)], snapshot.spec, rows) for name in which}
    clusters = Clusters.of(frames["calibrate"])
    calibrations = {
        name: target.calibrate(outputs["calibrate"], rows["calibrate"], clusters, train)
        for name, outputs in raw.items()
    }
    losses = _log_losses(rows, raw, calibrations, target)
    differences = _differences(frames["test"], rows["test"], raw, calibrations, target)
    bins = DevelopmentBins(inputs=_input_bins(snapshot), scores=_score_bins(raw, target))
    contents = {
        "spec.json": snapshot.spec.model_dump(mode="json"),
        "schema.json": _schema(snapshot.spec),
        "settings.json": {"train": train.model_dump(mode="json"), "model": model.model_dump(mode="json")},
        "splits.json": snapshot.splits,
        "inputs.json": _lineage(snapshot),
        "calibration.json": {name: item.model_dump(mode="json") for name, item in calibrations.items()},
        "metrics.json": {
            **_status(snapshot, target, result, calibrations[MODEL], differences),
            "log_loss": losses,
        },
        "bins.json": bins.model_dump(mode="json"),
    }
    files = {**trained, **{file: canonical(content) for file, content in contents.items()}}
    return save_artefact(storage, name, stamp_of(snapshot.splits), files)


def _raw(network: bytes, spec: InputSpec, rows: Mapping[str, Rows]) -> dict[str, Floats]:
    predictor = Predictor(network, spec, Calibration(method="none"))
    return {role: predictor.predict(*part.inputs)[0] for role, part in rows.items()}


def _log_losses(
    rows: Mapping[str, Rows],
    raw: Mapping[str, Mapping[str, Floats]],
    calibrations: Mapping[str, Calibration],
    target: Head,
) -> dict[str, Any]:
    """Return the log loss by role, predictor, and whether raw or calibrated."""

    def losses(role: str, name: str) -> dict[str, float]:
        part, outputs = rows[role], raw[name][role]
        both = {"raw": outputs, "calibrated": calibrations[name].apply(outputs)}
        return {form: log_loss(part.label, target.pd(pds), part.weight) for form, pds in both.items()}

    return {role: {name: losses(role, name) for name in raw} for role in HELD_OUT if len(rows[role])}


def _differences(
    frame: pd.DataFrame,
    rows: Rows,
    raw: Mapping[str, Mapping[str, Floats]],
    calibrations: Mapping[str, Calibration],
    target: Head,
) -> dict[str, Interval]:
    """Return the model's calibrated log loss less that of each baseline, on the test rows."""
    if not len(rows):
        return {}
    loan, month = (
        np.asarray(frame.groupby(key, sort=False).ngroup(), np.int64)
        for key in (["source", "loan_id"], ["as_of_date"])
    )
    pds = {name: target.pd(calibrations[name].apply(outputs["test"])) for name, outputs in raw.items()}
    label, weight = rows.label.astype(np.float64), rows.weight.astype(np.float64)
    return {
        name: log_loss_difference(label, pds[MODEL], pds[name], weight, loan, month)
        for name in pds
        if name != MODEL
    }


def _status(
    snapshot: Snapshot,
    target: Head,
    result: Mapping[str, Any],
    calibration: Calibration,
    differences: Mapping[str, Interval],
) -> dict[str, Any]:
    roles = snapshot.manifest["roles"]
    short = [role for role in ("train", "calibrate", "test") if roles[role]["status"] != "ok"]
    fold = snapshot.splits["folds"][0]
    reasons = [f"{role}: {roles[role]['defaulting_loans']} defaulting loans" for role in short]
    of_tape = snapshot.manifest["label_status"].get(TAPE_OUTCOME, 0)
    if of_tape and not target.is_of_tape:
        reasons.append(f"the tape has its own outcome: {of_tape} rows are labelled by it, not by this label")
    if result["method"] == "trained" and not result["best_epoch"]:
        reasons.append("training never improved on the mean default rate: every PD is that rate")
    shortfalls = [] if short else shortfalls_of(differences)
    reasons += [said_of(shortfall, differences) for shortfall in shortfalls]
    return {
        **result,
        "status": "insufficient" if short else next(iter(shortfalls), "ok"),
        "shortfalls": shortfalls,
        "uncalibrated": calibration.uncalibrated,
        "reasons": [*fold["reasons"], *reasons],
        "roles": roles,
    }


def _lineage(snapshot: Snapshot) -> dict[str, Any]:
    manifest = snapshot.manifest
    names = ("tables", *IDS, *TapeKind.model_fields, "spec", "train", "label_status")
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
    spec, frame = snapshot.spec, snapshot.role_frame("train", BIN_ROWS)
    numbers = {item.column: number_bins(frame[item.column]) for item in spec.numeric}
    numbers |= {
        item.column: number_bins(frame[item.columns].to_numpy().ravel()) for item in spec.numeric_sequences
    }
    codes = {item.column: code_bins(frame[item.column], len(item.vocabulary)) for item in spec.categorical}
    codes |= {
        item.column: code_bins((frame[item.columns].to_numpy() > 0).sum(axis=1), item.tokens)
        for item in spec.text
    }
    codes |= {
        item.column: code_bins(frame[item.columns].to_numpy().ravel(), item.size - 1)
        for item in spec.categorical_sequences
    }
    return {**numbers, **codes}


def _score_bins(raw: Mapping[str, Mapping[str, Floats]], target: Head) -> dict[str, Any]:
    return {
        name: number_bins(np.concatenate([target.pd(outputs[role]) for role in DEVELOPMENT]))
        for name, outputs in raw.items()
    }
