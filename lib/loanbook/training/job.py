"""The training job: pinned tables to a snapshot, a trained network with its baselines, an artefact."""

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.tape_kind import IDS, TapeKind, tape_kind
from loanbook.errors import InputError
from loanbook.features.catalogue.table import FEATURES
from loanbook.logs import timed
from loanbook.models.artefact.artefact import MODEL
from loanbook.models.artefact.earlier import baselines_before, trained_before
from loanbook.models.backbones import require_groups
from loanbook.models.head import Head
from loanbook.models.inputs.candidates import all_candidates
from loanbook.models.inputs.spec import Candidate
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings, wanted_workers
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.training.architecture import checked_architecture, require_supported, target_head
from loanbook.training.build_artefact import build_artefact
from loanbook.training.fit.horovod_run import launch
from loanbook.training.fit.request import TrainRequest, without_baselines
from loanbook.training.fit.trained import read_trained
from loanbook.training.fit.worker import train_rank
from loanbook.training.snapshot.borrowers import borrowers_of
from loanbook.training.snapshot.build import Request, ensure_snapshot
from loanbook.training.snapshot.fold import TEST
from loanbook.training.snapshot.read import Snapshot
from loanbook.warehouse.runs import Run
from loanbook.warehouse.session import named

logger = logging.getLogger(__name__)

MIN_STEPS = 16
MIN_BATCH = 32
OF_METRICS = (
    "reasons", "method", "epochs", "best_epoch", "parameters", "members", "tune_log_loss", "log_loss", "best",
)  # fmt: skip
KIND = {"period_months", "sampling", "outcome"}  # of the tape; what a model is held against before it scores


def train_model(
    run: Run,
    *,
    model: str | None = None,
    workers: int | None = None,
    resume: bool = False,
    challenger: bool = False,
) -> dict[str, Any]:
    """Train an architecture on the published features and labels of one source.

    Args:
        run: the job's run.
        model: a file of ``conf/models`` or a YAML file; by default ``settings.train.model``.
        workers: Horovod processes; by default ``settings.train.workers``.
        resume: go on from the checkpoint of an interrupted run with the same snapshot and settings.
        challenger: the model does not come to score the book by being trained last; nothing is done where it
            is trained already.

    Returns:
        The model's name and version, its status, rows by sample, log losses and seconds by phase.

    Raises:
        InputError: no such architecture, unpublished tables, or fewer task slots than workers.
    """
    settings, seconds = run.settings.train, dict[str, float]()
    architecture = model or settings.model
    model_settings = checked_architecture(architecture, settings)
    size = wanted_workers(settings, workers)
    source = run.only_source(FEATURES, made_by="build-features")
    tape = tape_kind(run.read_source(DELIVERIES, source), source)
    target = target_head(model_settings.head, tape)
    require_supported(settings, target)
    model_settings = model_settings.model_copy(update={"head": target.name})
    with timed(seconds, "snapshot"), named(run.spark, "train-model: snapshot"):
        snapshot = _snapshot(run, target, tape, size, model_settings)
        require_groups(model_settings.backbone, snapshot.spec)
    name, both = f"{run.source}-{Path(architecture).stem}", (settings, model_settings)
    artefact = trained_before(run.storage, name, snapshot.id, both) if challenger else None
    if artefact is None:
        with timed(seconds, "training"), named(run.spark, "train-model: Horovod workers"):
            known = baselines_before(run.storage, snapshot.id, settings) if challenger else {}
            request = _request(run, snapshot, model_settings, size, resume)
            request = without_baselines(request, known)
            ranks = launch(run.spark, train_rank, request, size, settings.start_timeout)
            seconds.update(_worker_seconds(ranks))
        with timed(seconds, "calibration"):
            trained = read_trained(request, len(snapshot.fold.members), known)
            method = "trained" if request.trainable else "prior"
            artefact = build_artefact(run.storage, name, snapshot, target, trained, method, both)
        shutil.rmtree(request.work)
    metrics = artefact.json("metrics.json")
    _record(run, metrics)
    return {
        "model": name,
        "model_version": artefact.version,
        "model_role": "challenger" if challenger else None,
        "model_status": artefact.status,
        "shortfalls": metrics["shortfalls"].get(MODEL, []),
        "uncalibrated": metrics["uncalibrated"],
        "head": target.name,
        "event": target.event,
        "held_out": snapshot.fold.held_out,
        "snapshot": snapshot.id,
        **{name: metrics[name] for name in OF_METRICS},
        "workers": size,
        "phase_seconds": seconds,
    }


def _worker_seconds(ranks: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the seconds by what was done: of the networks, which all ranks train, of one; else of all."""
    first = ranks[0]["seconds"]
    return {
        f"worker_{name}": value if name in ("start", "fit") else sum(rank["seconds"][name] for rank in ranks)
        for name, value in first.items()
    }


def _snapshot(run: Run, target: Head, tape: TapeKind, workers: int, model: ModelSettings) -> Snapshot:
    source = tape.source
    features = run.read(FEATURES, made_by="build-features").where(F.col("source") == source)
    tables = {table.name: run.read(table, made_by="build-labels") for table in target.tables}
    of_tape = KIND if target.is_of_tape else KIND - {"outcome"}
    ids = _one_definition(features, [table.where(F.col("source") == source) for table in tables.values()])
    candidates = _candidates(run, source, features, model.inputs_added)
    read, borrowers = [FEATURES.name, *tables], None
    if run.settings.train.borrower:
        loans = run.read(LOANS, made_by="ingest-tapes").where(F.col("source") == source)
        borrowers = borrowers_of(loans, run.settings.train.borrower)
        read.append(LOANS.name)
    request = Request(
        source=source,
        head=target,
        candidates=candidates,
        tables={name: run.inputs[name] for name in read},
        kind={**ids, **tape.model_dump(mode="json", include=of_tape)},
        settings=run.settings.train,
        workers=workers,
    )
    return ensure_snapshot(run.storage, request, features, tables, borrowers)


def _candidates(run: Run, source: str, features: DataFrame, added: Sequence[str]) -> list[Candidate]:
    def role_of(name: str) -> str | None:
        role = F.element_at("attribute_roles", name).alias("role")
        for table in (LOANS, PERFORMANCE):
            rows = run.read(table, made_by="ingest-tapes").where(F.col("source") == source)
            found = rows.select(role).where(F.col("role").isNotNull()).first()
            if found is not None:
                return str(found["role"])
        return None

    train = run.settings.train
    return all_candidates(features, (*train.inputs_added, *added), train.inputs_left_out, role_of)


def _one_definition(features: DataFrame, labels: Sequence[DataFrame]) -> dict[str, str]:
    """Return catalogue, default definition, which the tables of labels must share, and knowledge of features.

    Raises:
        InputError: there are several, or the labels follow another default definition.
    """
    found = [row.asDict() for row in features.select(*IDS).distinct().limit(3).collect()]
    definition = "default_definition_id"
    of_labels = {row[0] for table in labels for row in table.select(definition).distinct().limit(3).collect()}
    if len(found) == 1 and of_labels <= {found[0][definition]}:
        return {key: str(value) for key, value in found[0].items()}
    if not found and not of_labels:
        return {}
    raise InputError(
        required="features of one catalogue, and labels of the same default definition",
        found=f"features {found}, labels {sorted(of_labels)}",
        do="run build-features and build-labels again with the present settings",
    )


def _request(run: Run, snapshot: Snapshot, model: ModelSettings, workers: int, resume: bool) -> TrainRequest:
    settings, samples, members = run.settings.train, snapshot.manifest["samples"], snapshot.fold.members
    fewest = min(snapshot.rows_fitted(member, workers) for member in members)
    positives, rows = samples["train"]["defaults"], samples["train"]["rows"]
    tuned = samples["train" if snapshot.fold.is_crossed else "tune"]["rows"]
    if settings.batch_size is None:
        batch = batch_for(model.batch_size, fewest // workers)
        model = model.model_copy(update={"batch_size": batch})
    return TrainRequest(
        snapshot=snapshot.folder,
        work=run.storage.snapshot_folder("_training", _work_key(snapshot, settings, model, workers)),
        model=model,
        train=settings,
        rate=starting_rate(positives, rows, settings.prior_pd),
        trainable=0 < positives < rows and fewest > 0 and tuned > 0,
        resume=resume,
    )


def batch_for(wanted: int, rows_of_worker: int) -> int:
    """Return rows per step: as wanted, less where a small book would leave an epoch without enough steps.

    >>> batch_for(4096, 100_000), batch_for(4096, 3_200), batch_for(4096, 40)
    (4096, 200, 32)
    """
    return min(wanted, max(MIN_BATCH, rows_of_worker // MIN_STEPS))


def starting_rate(defaults: int, rows: int, prior_pd: float) -> float:
    """Return the mean of Jeffreys' posterior for the default rate, or the prior of a book without a label.

    >>> starting_rate(0, 99, 0.02)
    0.005
    """
    return (defaults + 0.5) / (rows + 1) if rows else prior_pd


def _work_key(snapshot: Snapshot, settings: TrainSettings, model: ModelSettings, workers: int) -> str:
    content = [snapshot.id, settings.model_dump(mode="json"), model.model_dump(mode="json"), workers]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _record(run: Run, metrics: dict[str, Any]) -> None:
    for sample, item in metrics["samples"].items():
        run.count(f"rows_{sample}", item["rows"])
    for name, value in metrics["tune_log_loss"].items():
        if value is not None:
            run.metric(f"tune_log_loss_{name}", value)
    for name, losses in metrics["log_loss"].get(TEST, {}).items():
        run.metric(f"test_log_loss_{name}", losses["calibrated"])
