"""What one Horovod process does: train, and on rank 0 fit the baselines and export all."""

import logging
import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from loanbook.logs import configure_logging
from loanbook.models.artefact.artefact import MODEL, member_file, network_file
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.baselines import Fitted, baseline
from loanbook.models.calibration import Calibration
from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.models.inputs.rows import Rows
from loanbook.models.log_loss import log_loss
from loanbook.settings.choice import Choice
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.read import Snapshot
from loanbook.warehouse.storage import published_folder, write_json

TRAINED = "trained"
CHECKPOINT = "checkpoint.npz"
RESULT = "result.json"
UNTRAINED: dict[str, Any] = {"epochs": 0, "best_epoch": 0, "tune_log_loss": None, "history": []}


@dataclass(frozen=True)
class TrainRequest:
    """What every worker is told.

    Args:
        snapshot: folder of the training snapshot.
        work: folder that gets the checkpoint and, at the end, ``trained/``.
        rate: default rate that the untrained network gives.
        model: the architecture; its head is named.
        trainable: whether the rows support any training; if not, network and baselines stay at ``rate``.
    """

    snapshot: Path
    work: Path
    model: ModelSettings
    train: TrainSettings
    rate: float
    trainable: bool
    resume: bool

    @property
    def target(self) -> Head:
        """Return the head; what a tape says of its own outcome changes nothing in training."""
        return head(str(self.model.head))


def train_rank(request: TrainRequest) -> dict[str, Any]:
    """Train as one of the ranks; return its rank, rows an epoch, a digest of its weights, and seconds."""
    start = time.perf_counter()
    ranks = _start(request.train)
    from loanbook.models.network import build_network
    from loanbook.training.fit.horovod_run import digest

    snapshot = Snapshot(request.snapshot)
    seed = request.train.seed
    network = build_network(
        snapshot.spec, request.model.backbone, request.target, rate=request.rate, seed=seed
    )
    seconds = {"start": time.perf_counter() - start}
    rows = _rows_of_a_rank(snapshot, ranks.size) if request.trainable else 0
    progress = _fit(request, snapshot, network, ranks, rows) if request.trainable else dict(UNTRAINED)
    seconds["fit"] = time.perf_counter() - start - sum(seconds.values())
    if ranks.rank == 0:
        _export(request, snapshot, network, progress)
        seconds["baselines_and_export"] = time.perf_counter() - start - sum(seconds.values())
    return {
        "rank": ranks.rank,
        "rows": rows,
        "digest": digest(network.scores.trainable_weights),
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
    }


def _start(settings: TrainSettings) -> Any:
    # TensorFlow's Arrow symbols break pyarrow's if it comes first; snapshot.py has imported pyarrow by now.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    from loanbook.training.fit.horovod_run import Ranks

    ranks = Ranks()
    configure_logging("text", logging.INFO if ranks.rank == 0 else logging.WARNING)
    devices = tf.config.list_physical_devices("GPU")
    for device in devices:
        tf.config.experimental.set_memory_growth(device, True)
    if devices:
        tf.config.set_visible_devices(devices[ranks.local_rank], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(settings.threads_per_worker)
    tf.config.threading.set_inter_op_parallelism_threads(settings.threads_per_worker)
    tf.keras.utils.set_random_seed(settings.seed + ranks.rank)
    tf.config.experimental.enable_op_determinism()
    return ranks


def _rows_of_a_rank(snapshot: Snapshot, size: int) -> int:
    train = snapshot.manifest["train"]
    return int((train["rows"] - train["rows_left_over"]) // size)


def _fit(request: TrainRequest, snapshot: Snapshot, network: Any, ranks: Any, rows: int) -> dict[str, Any]:
    from loanbook.training.fit.loop import Loop
    from loanbook.training.fit.reader import epoch_batches

    tune = snapshot.rows_of(snapshot.role_frame("tune").iloc[ranks.rank :: ranks.size])
    seed = request.train.seed
    epochs = partial(
        _open_epoch, epoch_batches, snapshot, batch=request.model.batch_size, seed=seed, ranks=ranks
    )
    checkpoint = request.work / CHECKPOINT
    loop = Loop(network, request.target, request.model, ranks, rows=rows, checkpoint=checkpoint, seed=seed)
    progress = loop.run(epochs, tune, request.resume)
    return {
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "tune_log_loss": progress.best_loss,
        "history": progress.history,
    }


def _open_epoch(
    open_batches: Any, snapshot: Snapshot, epoch: int, *, batch: int, seed: int, ranks: Any
) -> Any:
    return open_batches(
        snapshot.role_folder("train"),
        snapshot.spec,
        snapshot.targets,
        batch=batch,
        seed=seed,
        epoch=epoch,
        rank=ranks.rank,
        size=ranks.size,
    )


def _export(request: TrainRequest, snapshot: Snapshot, network: Any, progress: dict[str, Any]) -> None:
    from loanbook.models.artefact.export import onnx_bytes, weight_bytes
    from loanbook.models.network import mean_of

    members = [network]
    fitted = {choice.name: _baseline(choice, request, snapshot) for choice in request.train.baselines}
    tune = snapshot.rows("tune") if request.trainable else None
    losses = {name: _tune_loss(item, request, snapshot, tune) for name, item in fitted.items()}
    result = {
        **progress,
        "method": "trained" if request.trainable else "prior",
        "parameters": sum(member.parameters for member in members),
        "members": len(members),
        "baselines": {name: item.facts for name, item in fitted.items()},
        "tune_log_loss": {MODEL: progress["tune_log_loss"], **losses},
    }
    with published_folder(request.work / TRAINED) as folder:
        (folder / network_file(MODEL)).write_bytes(onnx_bytes(mean_of(members)))
        for number, member in enumerate(members):
            (folder / member_file(number)).write_bytes(weight_bytes(member))
        for name, item in fitted.items():
            (folder / network_file(name)).write_bytes(item.network)
        write_json(folder / RESULT, result)


def _baseline(choice: Choice, request: TrainRequest, snapshot: Snapshot) -> Fitted:
    if request.trainable:
        module, settings = baseline(choice)
        return module.fit(snapshot, request.target, settings)
    from loanbook.models.artefact.export import onnx_bytes
    from loanbook.models.network import constant

    return Fitted(onnx_bytes(constant(snapshot.spec, request.target, request.rate).probabilities))


def _tune_loss(item: Fitted, request: TrainRequest, snapshot: Snapshot, tune: Rows | None) -> float | None:
    """Return a baseline's log loss on the tune rows; None where nothing was fitted."""
    if tune is None:
        return None
    predictor = Predictor(item.network, snapshot.spec, Calibration(method="identity"))
    raw, _ = predictor.predict(*tune.inputs)
    return log_loss(tune.label, request.target.pd(raw), tune.weight)
