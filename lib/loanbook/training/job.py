"""The training job: pinned tables to snapshots, trained networks with their baselines, artefacts."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import functions as F

from loanbook.book.tape_kind import TapeKind, tape_kind
from loanbook.features.catalogue.table import FEATURES
from loanbook.logs import timed
from loanbook.models.artefact.artefact import MODEL, Artefact
from loanbook.models.backbones import require_groups
from loanbook.models.head import Head
from loanbook.models.inputs.candidates import all_candidates
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import wanted_workers
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.training.architecture import checked_architecture, require_supported, target_head
from loanbook.training.evidence import one_definition, require_inputs, require_labels, role_in
from loanbook.training.origin import Training
from loanbook.training.snapshot.borrowers import borrowers_of
from loanbook.training.snapshot.build import ensure_snapshot
from loanbook.training.snapshot.fold import TEST
from loanbook.training.snapshot.read import Snapshot
from loanbook.training.snapshot.snapshot_request import SnapshotRequest
from loanbook.training.tracking import tracker_of
from loanbook.warehouse.runs import Run
from loanbook.warehouse.session import named

logger = logging.getLogger(__name__)

KIND = {"period_months", "sampling", "outcome"}  # of the tape; what a model is held against before it scores
OF_METRICS = (
    "reasons", "method", "epochs", "best_epoch", "parameters", "members", "tune_log_loss", "log_loss", "best",
)  # fmt: skip
OF_ORIGIN = ("development_from", "development_to", "test_from", "test_to")


def train_model(
    run: Run,
    *,
    model: str | None = None,
    workers: int | None = None,
    resume: bool = False,
    challenger: bool = False,
) -> dict[str, Any]:
    """Train an architecture on the published features and labels of one source.

    With several rolling origins (``train.folds``) it is trained on each of them. The model is that of the
    most recent one; those of earlier origins are its back-tests, and score nothing.

    Args:
        run: the job's run.
        model: a file of ``conf/models`` or a YAML file; by default ``settings.train.model``.
        workers: Horovod processes; by default ``settings.train.workers``.
        resume: go on from the checkpoint of an interrupted run with the same snapshot and settings.
        challenger: the model does not come to score the book by being trained last, as one without a 12-month
            PD never does; nothing is done where it is trained already.

    Returns:
        The model's name and version, its status, rows by sample, log losses, seconds by phase, and the
        versions and log losses of earlier origins.

    Raises:
        InputError: no such architecture, unpublished tables, or fewer task slots than workers.
    """
    settings, seconds = run.settings.train, dict[str, float]()
    architecture = model or settings.model
    model_settings = checked_architecture(architecture, settings)
    size = wanted_workers(settings, workers)
    source = run.only_source(FEATURES, made_by="build-features")
    tape = tape_kind(run.read_source(DELIVERIES, source), source)
    target = target_head(model_settings.head, tape, run.settings.default_definition)
    require_supported(settings, model_settings, target)
    tracker = tracker_of(run.settings.tracking, run.storage)
    with timed(seconds, "snapshot"), named(run.spark, "train-model: snapshot"):
        of_origin = _snapshots(run, target, tape, size, model_settings)
        snapshot = of_origin(0)
        require_groups(model_settings.backbone, snapshot.spec)
    model_settings = model_settings.model_copy(update={"head": model_settings.head or target.name})
    name = f"{run.source}-{Path(architecture).stem}"
    both = (settings, model_settings)
    events = run.storage.tracking_folder("tensorboard", name) if run.settings.tracking.tensorboard else None
    training = Training(run.spark, run.storage, name, target, both, size, resume, seconds, events)
    artefacts = []
    for number in _earlier(snapshot, settings.folds):
        with timed(seconds, "snapshot"), named(run.spark, "train-model: snapshot"):
            of_earlier = of_origin(number)
        artefacts.append((of_earlier, training.on(of_earlier, reuse=True)))
    artefact = training.on(snapshot, reuse=challenger)
    if tracker is not None:
        for one in (*(earlier for _, earlier in artefacts), artefact):
            tracker.record(one, run.storage.model_folder(one.name, one.version), run.run_id)
    metrics = artefact.json("metrics.json")
    _record(run, metrics)
    return {
        "model": name,
        "model_version": artefact.version,
        "model_role": "challenger" if challenger or not target.leads else None,
        "model_status": artefact.status,
        "shortfalls": metrics["shortfalls"].get(MODEL, []),
        "uncalibrated": metrics["uncalibrated"],
        "head": target.name,
        "event": target.event,
        "held_out": snapshot.fold.held_out,
        "validation_refused": snapshot.fold.validation_refused,
        "snapshot": snapshot.id,
        **{name: metrics[name] for name in OF_METRICS},
        "earlier_origins": [_of_origin(*earlier) for earlier in artefacts],
        "workers": size,
        "phase_seconds": seconds,
    }


def _snapshots(
    run: Run, target: Head, tape: TapeKind, workers: int, model: ModelSettings
) -> Callable[[int], Snapshot]:
    """Return what makes the snapshot of each rolling origin, 0 the most recent, all of the same versions.

    Raises:
        InputError: the architecture names a head, and the tape has no label or no input that it needs.
    """
    source, settings = tape.source, run.settings.train
    features = run.read(FEATURES, made_by="build-features").where(F.col("source") == source)
    tables = {table.name: run.read(table, made_by="build-labels") for table in target.tables}
    if model.head is not None:
        require_labels(target, tables, source)
    of_tape = KIND if target.is_of_tape else KIND - {"outcome"}
    ids = one_definition(features, [table.where(F.col("source") == source) for table in tables.values()])
    added = (*settings.inputs_added, *model.inputs_added)
    role_of = partial(_role, run, source)
    candidates = all_candidates(features, added, settings.inputs_left_out, role_of)
    require_inputs(target, candidates)
    read, borrowers = [FEATURES.name, *tables], None
    if settings.borrower:
        loans = run.read(LOANS, made_by="ingest-tapes").where(F.col("source") == source)
        borrowers = borrowers_of(loans, settings.borrower)
        read.append(LOANS.name)
    request = SnapshotRequest(
        source=source,
        head=target,
        candidates=candidates,
        tables={name: run.inputs[name] for name in read},
        kind={**ids, **tape.model_dump(mode="json", include=of_tape)},
        settings=settings,
        workers=workers,
    )

    def of_origin(number: int) -> Snapshot:
        return ensure_snapshot(run.storage, replace(request, origin=number), features, tables, borrowers)

    return of_origin


def _role(run: Run, source: str, attribute: str) -> str | None:
    for table in (LOANS, PERFORMANCE):
        rows = run.read(table, made_by="ingest-tapes").where(F.col("source") == source)
        role = role_in(rows, attribute)
        if role is not None:
            return role
    return None


def _earlier(snapshot: Snapshot, wanted: int) -> Sequence[int]:
    """Return the numbers of the rolling origins before the most recent one, the oldest first."""
    found = len(snapshot.splits["folds"])
    if found < wanted:
        logger.warning(
            "%d of %d rolling origins: before %s there are too few matured months for another",
            found, wanted, snapshot.splits["folds"][-1]["test_from"] or "the test rows",
        )  # fmt: skip
    return range(min(found, wanted) - 1, 0, -1)


def _of_origin(snapshot: Snapshot, artefact: Artefact) -> dict[str, Any]:
    """Return what the result says of an earlier origin; log losses are those of its test rows, calibrated."""
    metrics, fold = artefact.json("metrics.json"), snapshot.fold
    losses = metrics["log_loss"].get(TEST, {})
    return {
        "fold": fold.name,
        "model_version": artefact.version,
        **{name: str(value) for name in OF_ORIGIN if (value := getattr(fold, name)) is not None},
        "status": artefact.status,
        "test_log_loss": {name: found["calibrated"] for name, found in losses.items()},
    }


def _record(run: Run, metrics: Mapping[str, Any]) -> None:
    for sample, item in metrics["samples"].items():
        run.count(f"rows_{sample}", item["rows"])
    for name, value in metrics["tune_log_loss"].items():
        if value is not None:
            run.metric(f"tune_log_loss_{name}", value)
    for name, losses in metrics["log_loss"].get(TEST, {}).items():
        run.metric(f"test_log_loss_{name}", losses["calibrated"])
