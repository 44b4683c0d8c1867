"""What every training process is told, and what it leaves where."""

import hashlib
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings, workers_of_member
from loanbook.training.snapshot.read import Snapshot
from loanbook.warehouse.storage import Storage

MIN_STEPS = 16
MIN_BATCH = 32


def checkpoint_file(network: int) -> str:
    """Return the file of a network's training, in the work folder."""
    return f"checkpoint_{network}.npz"


@dataclass(frozen=True)
class TrainRequest:
    """What every worker is told.

    Args:
        snapshot: folder of the training snapshot.
        work: folder that gets the checkpoints, and what is fitted (see ``trained.py``).
        rate: default rate that the untrained network gives.
        model: the architecture; its head is named.
        events: folder of TensorBoard's event files, a folder a training and network; None: none are written.
        attempt: names this training among those of the same work folder.
        trainable: whether the rows support any training; if not, network and baselines stay at ``rate``.
    """

    snapshot: Path
    work: Path
    model: ModelSettings
    train: TrainSettings
    rate: float
    trainable: bool
    resume: bool
    events: Path | None = None
    attempt: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def target(self) -> Head:
        """Return the head; what a tape says of its own outcome changes nothing in training."""
        found = completed_head(self.model, Snapshot(self.snapshot))
        return found if self.trainable else found.unfitted


def completed_head(model: ModelSettings, snapshot: Snapshot) -> Head:
    """Return an architecture's head with what was measured of a snapshot's training rows.

    Raises:
        ValueError: the architecture has no head yet.
    """
    if model.head is None:
        raise ValueError("the head of an architecture is settled before it is trained")
    return head(model.head).completed(snapshot.manifest.get("measured", {}))


def without_baselines(request: TrainRequest, fitted: Collection[str]) -> TrainRequest:
    """Return a request without the baselines that are fitted already."""
    left = tuple(choice for choice in request.train.baselines if choice.name not in fitted)
    return replace(request, train=request.train.model_copy(update={"baselines": left}))


def request_for(
    storage: Storage,
    snapshot: Snapshot,
    settings: tuple[TrainSettings, ModelSettings],
    workers: int,
    resume: bool,
) -> TrainRequest:
    """Return what the processes are told to train on a snapshot.

    Args:
        storage: knows where they may write.
        snapshot: the rows.
        settings: of the job and of the architecture.
        workers: number of processes.
        resume: whether to go on from checkpoints.
    """
    train, model = settings
    samples, members = snapshot.manifest["samples"], snapshot.fold.members
    together = workers_of_member(train, len(members), workers)
    fewest = min(snapshot.rows_fitted(member, together) for member in members)
    positives, rows = samples["train"]["defaults"], samples["train"]["labelled"]
    tuned = samples["train" if snapshot.fold.is_crossed else "tune"]["rows"]
    if train.batch_size is None:
        batch = batch_for(model.batch_size, fewest // together)
        model = model.model_copy(update={"batch_size": batch})
    return TrainRequest(
        snapshot=snapshot.folder,
        work=storage.snapshot_folder("_training", _work_key(snapshot, train, model, together)),
        model=model,
        train=train,
        rate=starting_rate(positives, rows, train.prior_pd),
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


def _work_key(snapshot: Snapshot, settings: TrainSettings, model: ModelSettings, together: int) -> str:
    content = [snapshot.id, settings.model_dump(mode="json"), model.model_dump(mode="json"), together]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
