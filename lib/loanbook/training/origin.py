"""The training of one rolling origin: from its snapshot to an artefact."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from loanbook.errors import LoanbookError
from loanbook.logs import timed
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.earlier import baselines_before, trained_before
from loanbook.models.head import Head
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings
from loanbook.training.build_artefact import build_artefact
from loanbook.training.fit.horovod_run import launch
from loanbook.training.fit.request import request_for, without_baselines
from loanbook.training.fit.trained import read_trained
from loanbook.training.fit.worker import train_rank
from loanbook.training.snapshot.read import Snapshot
from loanbook.warehouse.session import named
from loanbook.warehouse.storage import Storage


@dataclass(frozen=True)
class Training:
    """What is the same of every origin.

    Args:
        spark: session whose task slots the processes take.
        storage: knows where models and work folders live.
        name: of the model.
        target: what it predicts.
        settings: of the job, of which the number of origins does not matter to one, and of the architecture.
        workers: Horovod processes.
        resume: go on from the checkpoints of an interrupted run.
        seconds: by phase, which grow.
        events: folder of TensorBoard's event files; None: none are written.
    """

    spark: SparkSession
    storage: Storage
    name: str
    target: Head
    settings: tuple[TrainSettings, ModelSettings]
    workers: int
    resume: bool
    seconds: dict[str, float]
    events: Path | None = None

    def on(self, snapshot: Snapshot, reuse: bool) -> Artefact:
        """Return the model that is trained on a snapshot.

        Args:
            snapshot: of one origin.
            reuse: take the model, or baselines, that the same settings made of it before.
        """
        storage, train = self.storage, self.settings[0].model_copy(update={"folds": 1})
        both = (train, self.settings[1])
        before = trained_before(storage, self.name, snapshot.id, both) if reuse else None
        if before is not None:
            return before
        with timed(self.seconds, "training"), named(self.spark, "train-model: Horovod workers"):
            known = baselines_before(storage, snapshot.id, train) if reuse else {}
            request = request_for(storage, snapshot, both, self.workers, self.resume)
            request = replace(without_baselines(request, known), events=self.events)
            ranks = launch(self.spark, train_rank, request, self.workers, train.start_timeout, train.hosts)
            _require_all(ranks, len(snapshot.fold.members) * train.fits)
            self._add(_worker_seconds(ranks))
        with timed(self.seconds, "calibration"):
            trained = read_trained(request, len(snapshot.fold.members), known)
            method = "trained" if request.trainable else "prior"
            target = self.target.completed(snapshot.manifest.get("measured", {}))
            artefact = build_artefact(storage, self.name, snapshot, target, trained, method, both)
        shutil.rmtree(request.work)
        return artefact

    def _add(self, seconds: Mapping[str, float]) -> None:
        for name, value in seconds.items():
            self.seconds[name] = round(self.seconds.get(name, 0.0) + value, 2)


def _require_all(ranks: Sequence[Mapping[str, Any]], networks: int) -> None:
    """Check that every network was trained.

    Raises:
        LoanbookError: one was not.
    """
    trained = sorted({number for rank in ranks for number in rank["digests"]})
    if trained != list(range(networks)):
        raise LoanbookError(f"{networks} networks were to be trained, found {trained}")


def _worker_seconds(ranks: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the seconds by what was done: of networks those of the longest, of baselines all."""
    return {
        f"worker_{name}": (max if name in ("start", "fit") else sum)(rank["seconds"][name] for rank in ranks)
        for name in ranks[0]["seconds"]
    }
