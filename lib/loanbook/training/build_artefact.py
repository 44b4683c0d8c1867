"""From a trained network and logit to the artefact: calibration, metrics, bins, lineage."""

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from loanbook.book.tape_kind import IDS
from loanbook.models.artefact.artefact import Artefact, Which, canonical, save_artefact
from loanbook.models.artefact.bins import DevelopmentBins, code_bins, number_bins
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration, fit_platt
from loanbook.models.heads import TAPE_OUTCOME
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.log_loss import log_loss
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.read import Snapshot, matrices, stamp_of
from loanbook.training.snapshot.splits import HELD_OUT
from loanbook.warehouse.storage import Storage

Floats = npt.NDArray[np.float64]

BIN_ROWS = 1_000_000
DEVELOPMENT = ("tune", "calibrate", "calibrate_check")


def build_artefact(
    storage: Storage,
    name: str,
    snapshot: Snapshot,
    networks: Mapping[str, bytes],
    result: Mapping[str, Any],
    settings: tuple[TrainSettings, ModelSettings],
) -> Artefact:
    """Calibrate, measure and save a model.

    Args:
        storage: knows where models live.
        name: of the model.
        snapshot: its evidence.
        networks: ``model.onnx``, ``logit.onnx`` and ``model.weights.h5``.
        result: what the training returned: epochs, history, log losses, parameters.
        settings: of the job and of the architecture.
    """
    train, model = settings
    frames = {role: snapshot.role_frame(role) for role in HELD_OUT}
    raw = {which: _raw(networks[f"{which}.onnx"], snapshot.spec, frames) for which in get_args(Which)}
    counts = snapshot.manifest["roles"]["calibrate"]
    calibrations = {
        which: calibrate(frames["calibrate"], pds["calibrate"], counts) for which, pds in raw.items()
    }
    bins = DevelopmentBins(inputs=_input_bins(snapshot), scores=_score_bins(raw))
    contents = {
        "spec.json": snapshot.spec.model_dump(mode="json"),
        "schema.json": _schema(snapshot.spec),
        "settings.json": {"train": train.model_dump(mode="json"), "model": model.model_dump(mode="json")},
        "splits.json": snapshot.splits,
        "inputs.json": _lineage(snapshot),
        "calibration.json": {which: item.model_dump(mode="json") for which, item in calibrations.items()},
        "metrics.json": {
            **_status(snapshot, result, calibrations["model"]),
            **_log_losses(frames, raw, calibrations),
        },
        "bins.json": bins.model_dump(mode="json"),
    }
    files = {**networks, **{file: canonical(content) for file, content in contents.items()}}
    return save_artefact(storage, name, stamp_of(snapshot.splits), files)


def calibrate(frame: pd.DataFrame, pd_raw: Floats, counts: Mapping[str, Any]) -> Calibration:
    """Return Platt's calibration on the calibrate rows, or the identity where they hold too few defaults."""
    known = {key: counts[key] for key in Calibration.model_fields if key in counts}
    fit = fit_platt(pd_raw, frame["label"], frame["weight"]) if counts["status"] == "ok" else None
    if fit is None:
        return Calibration(method="identity", **known)
    return Calibration(method="platt", intercept=fit[0], slope=fit[1], **known)


def _raw(network: bytes, spec: InputSpec, frames: Mapping[str, pd.DataFrame]) -> dict[str, Floats]:
    predictor = Predictor(network, spec, Calibration(method="identity"))
    return {role: predictor.predict(*matrices(frame, spec))[0] for role, frame in frames.items()}


def _log_losses(
    frames: Mapping[str, pd.DataFrame],
    raw: Mapping[str, Mapping[str, Floats]],
    fits: Mapping[str, Calibration],
) -> dict[str, Any]:
    def losses(role: str, which: str) -> dict[str, float]:
        label, weight, pds = frames[role]["label"], frames[role]["weight"], raw[which][role]
        return {
            "raw": log_loss(label, pds, weight),
            "calibrated": log_loss(label, fits[which].apply(pds), weight),
        }

    filled = [role for role in HELD_OUT if len(frames[role])]
    return {"log_loss": {role: {which: losses(role, which) for which in raw} for role in filled}}


def _status(snapshot: Snapshot, result: Mapping[str, Any], calibration: Calibration) -> dict[str, Any]:
    roles = snapshot.manifest["roles"]
    short = [role for role in ("train", "calibrate", "test") if roles[role]["status"] != "ok"]
    fold = snapshot.splits["folds"][0]
    reasons = [f"{role}: {roles[role]['defaulting_loans']} defaulting loans" for role in short]
    of_tape = snapshot.manifest["label_status"].get(TAPE_OUTCOME, 0)
    if of_tape and snapshot.manifest["label"] != TAPE_OUTCOME:
        reasons.append(f"the tape has its own outcome: {of_tape} rows are labelled by it, not by this label")
    if result["method"] == "trained" and not result["best_epoch"]:
        reasons.append("training never improved on the mean default rate: every PD is that rate")
    return {
        **result,
        "status": "insufficient" if short else "ok",
        "uncalibrated": calibration.uncalibrated,
        "reasons": [*fold["reasons"], *reasons],
        "roles": roles,
    }


def _lineage(snapshot: Snapshot) -> dict[str, Any]:
    manifest = snapshot.manifest
    kind = ("source", *IDS, "period_months", "sampling", "outcome")
    names = ("tables", *kind, "spec", "train", "label_status")
    return {"snapshot": snapshot.id, **{name: manifest.get(name) for name in names}}


def _schema(spec: InputSpec) -> list[dict[str, str]]:
    numbers = [("float32", item.column, item.name, item.expression) for item in spec.numeric]
    codes = [("int32", item.column, item.name, item.expression) for item in spec.categorical]
    codes += [("int32", column, item.name, item.expression) for item in spec.text for column in item.columns]
    return [dict(zip(("type", "column", "input", "expression"), row, strict=True)) for row in numbers + codes]


def _input_bins(snapshot: Snapshot) -> dict[str, Any]:
    """Return the bins of each input; of a text those of the number of its known words."""
    frame = snapshot.role_frame("train", BIN_ROWS)
    numbers = {item.column: number_bins(frame[item.column]) for item in snapshot.spec.numeric}
    codes = {
        item.column: code_bins(frame[item.column], len(item.vocabulary)) for item in snapshot.spec.categorical
    }
    words = {
        item.column: code_bins((frame[item.columns].to_numpy() > 0).sum(axis=1), item.tokens)
        for item in snapshot.spec.text
    }
    return {**numbers, **codes, **words}


def _score_bins(raw: Mapping[str, Mapping[str, Floats]]) -> dict[str, Any]:
    return {
        which: number_bins(np.concatenate([pds[role] for role in DEVELOPMENT])) for which, pds in raw.items()
    }
