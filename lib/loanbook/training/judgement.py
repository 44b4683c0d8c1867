"""What is said of a model when it is trained: its losses, what it falls short of, and who scores the book."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from loanbook.models.artefact.artefact import MODEL, of_predictor
from loanbook.models.artefact.predictor import calibrated_mean
from loanbook.models.best import best_of
from loanbook.models.binary_head import TAPE_OUTCOME
from loanbook.models.calibration import Calibration
from loanbook.models.clustered import Interval
from loanbook.models.head import Floats, Head
from loanbook.models.level import Level, levels_of
from loanbook.models.log_loss import log_loss
from loanbook.models.shortfalls import log_loss_difference, said_of, shortfalls_of
from loanbook.models.together import Together, defaulting
from loanbook.training.fit.trained import Trained
from loanbook.training.snapshot.fold import OUT_OF_FOLD, TEST
from loanbook.training.snapshot.predicted import PredictedSample
from loanbook.training.snapshot.read import Snapshot, states_in


def losses_of(
    snapshot: Snapshot, found: PredictedSample, calibrations: Mapping[str, Calibration], target: Head
) -> dict[str, dict[str, float]]:
    """Return the log loss of a sample by predictor, and whether raw or calibrated."""
    rows, state = snapshot.rows_of(found.frame), states_in(found.frame)

    def losses(name: str, members: Floats) -> dict[str, float]:
        own = of_predictor(target, name)
        calibrated = calibrated_mean(members, calibrations[name], own, state)
        both = {"raw": members.mean(axis=1), "calibrated": calibrated}
        return {form: log_loss(rows.label, own.pd(pds), rows.weight) for form, pds in both.items()}

    return {name: losses(name, members) for name, members in found.members.items()}


def differences_of(
    snapshot: Snapshot,
    judged: Mapping[str, PredictedSample],
    calibrations: Mapping[str, Calibration],
    target: Head,
) -> dict[str, dict[str, Interval]]:
    """Return each predictor's calibrated log loss less that of each baseline, out of sample.

    On the test rows; where there are none, on the development loans that none was fitted on.
    """
    found = judged[TEST] if len(judged[TEST].frame) else judged[snapshot.fold.checked_on]
    if not len(found.frame):
        return {}
    together = Together.of(found.frame, target.horizon_months)
    state, targets = states_in(found.frame), {name: of_predictor(target, name) for name in found.members}
    pds = {
        name: targets[name].pd(calibrated_mean(members, calibrations[name], targets[name], state))
        for name, members in found.members.items()
    }
    label, weight = (found.frame[name].to_numpy(np.float64) for name in ("label", "weight"))
    return {
        name: {
            other: log_loss_difference(label, own, pds[other], weight, together)
            for other in pds
            if other not in (name, MODEL)
        }
        for name, own in pds.items()
    }


def judged_levels(
    snapshot: Snapshot,
    judged: Mapping[str, PredictedSample],
    calibrations: Mapping[str, Calibration],
    target: Head,
    method: str,
    min_defaults: int,
) -> dict[str, Level]:
    """Return the level of each predictor's calibrated PDs on the test rows, where one is claimed."""
    parts = judged[TEST], judged[snapshot.fold.checked_on]

    def calibrated(name: str, part: PredictedSample) -> Floats:
        own, members = of_predictor(target, name), part.members[name]
        return own.pd(calibrated_mean(members, calibrations[name], own, states_in(part.frame)))

    return levels_of(
        [part.frame for part in parts],
        {name: [calibrated(name, part) for part in parts] for name in parts[0].members},
        target.horizon_months,
        later=snapshot.fold.held_out == "months",
        min_defaults=min_defaults,
        rank_only=method == "prior" or snapshot.manifest.get("sampling") == "case_control",
        central_tendency=calibrations[MODEL].central_tendency,
    )


def training_of(
    snapshot: Snapshot, trained: Trained, method: str, losses: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return how each network came about; the tune log loss is over all rows that stopped a member."""
    networks = trained.facts[MODEL]
    tuned = losses.get(OUT_OF_FOLD if snapshot.fold.is_crossed else "tune", {})
    return {
        "method": method,
        "members": len(trained.networks[MODEL]),
        "parameters": sum(network["parameters"] for network in networks),
        "epochs": [network["epochs"] for network in networks],
        "best_epoch": [network["best_epoch"] for network in networks],
        "history": [network["history"] for network in networks],
        "pruning": [network["pruning"] for network in networks if network["pruning"]],
        "baselines": {name: facts for name, facts in trained.facts.items() if name != MODEL},
        "tune_log_loss": {
            name: tuned[name]["raw"] if method == "trained" and name in tuned else None
            for name in trained.networks
        },
    }


def status_of(
    snapshot: Snapshot,
    target: Head,
    trained: Trained,
    method: str,
    calibrations: Mapping[str, Calibration],
    differences: Mapping[str, Mapping[str, Interval]],
    levels: Mapping[str, Level],
    losses: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> dict[str, Any]:
    """Return what may be said of a model: its status, what all fall short of, and who scores the book.

    Args:
        snapshot: its evidence.
        target: what it predicts.
        trained: the members of the model and of its baselines.
        method: how the model came about.
        calibrations: by predictor.
        differences: of log losses out of sample, by predictor and baseline.
        levels: of PDs on the test rows, by predictor, where one is claimed.
        losses: by sample, predictor and form.
    """
    samples, fold = snapshot.manifest["samples"], snapshot.fold
    needed = dict.fromkeys(("train", fold.calibrated_on, TEST))
    short = [sample for sample in needed if samples[sample]["status"] != "ok"]
    reasons = [f"{sample}: {_defaulting(samples[sample])}" for sample in short]
    if target.shortened:
        reasons.append(target.shortened)
    of_tape = snapshot.manifest["label_status"].get(TAPE_OUTCOME, 0)
    if of_tape and not target.is_of_tape:
        reasons.append(f"the tape has its own outcome: {of_tape} rows are labelled by it, not by this label")
    networks = trained.facts[MODEL]
    still = sum(not network["best_epoch"] for network in networks)
    if method == "trained" and still:
        which = f"{still} of {len(networks)} networks" if len(networks) > 1 else "training"
        reasons.append(f"{which} never improved on the mean default rate: every PD is that rate")
    judged = samples[TEST if samples[TEST]["rows"] else fold.checked_on]["status"] == "ok"
    shortfalls = (
        {name: shortfalls_of(found, levels.get(name)) for name, found in differences.items()}
        if judged
        else {}
    )
    of_model = shortfalls.get(MODEL, [])
    reasons += [said_of(shortfall, differences[MODEL], levels.get(MODEL)) for shortfall in of_model]
    told_on = _told_on(snapshot)
    checked = losses.get(told_on, {})
    return {
        "status": "insufficient" if short else next(iter(of_model), "ok"),
        "shortfalls": shortfalls,
        "uncalibrated": calibrations[MODEL].uncalibrated,
        "reasons": [*fold.reasons, *reasons],
        "samples": samples,
        "best": best_of(
            {name: item["calibrated"] for name, item in checked.items()},
            shortfalls,
            told_on,
            sufficient=samples[told_on]["status"] == "ok",
        ).model_dump(mode="json"),
    }


def _defaulting(sample: Mapping[str, Any]) -> str:
    loans = sample["defaulting_loans"]
    return defaulting(loans, sample.get("defaulting_borrowers", loans))


def _told_on(snapshot: Snapshot) -> str:
    """Return the sample that predictors are told apart on: not a validation period with few defaults."""
    fold, samples = snapshot.fold, snapshot.manifest["samples"]
    others = [OUT_OF_FOLD if fold.is_crossed else "calibrate_check"]
    usable = [name for name in (fold.checked_on, *others) if samples[name]["status"] == "ok"]
    return usable[0] if usable else fold.checked_on
