"""What one Horovod process does: train, and on rank 0 fit the logit and export both."""

import logging
import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from loanbook.logs import configure_logging
from loanbook.models.baselines.logistic import LogitFit, Matrix, constant_logit, fit_logit
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.read import Snapshot, matrices
from loanbook.warehouse.storage import published_folder, write_json

TRAINED = "trained"
CHECKPOINT = "checkpoint.npz"
LOGIT_CELLS = 250_000_000  # of its design matrix: 2 GB, and as much again while it is fitted
UNTRAINED: dict[str, Any] = {"epochs": 0, "best_epoch": 0, "tune_log_loss": None, "history": []}


@dataclass(frozen=True)
class TrainRequest:
    """What every worker is told.

    Args:
        snapshot: folder of the training snapshot.
        work: folder that gets the checkpoint and, at the end, ``trained/``.
        rate: default rate that the untrained network gives.
        trainable: whether the rows support any training; if not, both models stay at ``rate``.
    """

    snapshot: Path
    work: Path
    model: ModelSettings
    train: TrainSettings
    rate: float
    trainable: bool
    resume: bool


def train_rank(request: TrainRequest) -> dict[str, Any]:
    """Train as one of the ranks; return its rank, rows an epoch, a digest of its weights, and seconds."""
    start = time.perf_counter()
    ranks = _start(request.train)
    from loanbook.models.network import build_network
    from loanbook.training.fit.horovod_run import digest

    snapshot = Snapshot(request.snapshot)
    settings = request.train
    network = build_network(
        snapshot.spec, request.model, rate=request.rate, seed=settings.seed, max_one_hot=settings.max_one_hot
    )
    seconds = {"start": time.perf_counter() - start}
    rows = _rows_of_a_rank(snapshot, ranks.size) if request.trainable else 0
    progress = _fit(request, snapshot, network, ranks, rows) if request.trainable else dict(UNTRAINED)
    seconds["fit"] = time.perf_counter() - start - sum(seconds.values())
    if ranks.rank == 0:
        _export(request, snapshot, network, progress)
        seconds["logit_and_export"] = time.perf_counter() - start - sum(seconds.values())
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
    from loanbook.training.fit.loop import Loop, Rows
    from loanbook.training.fit.reader import epoch_batches

    frame = snapshot.role_frame("tune").iloc[ranks.rank :: ranks.size]
    tune = Rows(*matrices(frame, snapshot.spec), frame["label"].to_numpy(), frame["weight"].to_numpy())
    seed = request.train.seed
    epochs = partial(
        _open_epoch, epoch_batches, snapshot, batch=request.model.batch_size, seed=seed, ranks=ranks
    )
    checkpoint = request.work / CHECKPOINT
    loop = Loop(network, request.model, ranks, rows=rows, checkpoint=checkpoint, seed=seed)
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
        batch=batch,
        seed=seed,
        epoch=epoch,
        rank=ranks.rank,
        size=ranks.size,
    )


def _export(request: TrainRequest, snapshot: Snapshot, network: Any, progress: dict[str, Any]) -> None:
    from loanbook.models.artefact.export import onnx_bytes, weight_bytes
    from loanbook.models.network import build_logit

    fit = _logit(request, snapshot)
    result = {
        **progress,
        "method": "trained" if request.trainable else "prior",
        "parameters": network.parameters,
        "logit_strength": fit.strength,
        "tune_log_loss": {"model": progress["tune_log_loss"], "logit": fit.tune_log_loss},
    }
    with published_folder(request.work / TRAINED) as folder:
        (folder / "model.onnx").write_bytes(onnx_bytes(network))
        (folder / "logit.onnx").write_bytes(onnx_bytes(build_logit(snapshot.spec, fit.weights, fit.bias)))
        (folder / "model.weights.h5").write_bytes(weight_bytes(network))
        write_json(folder / "result.json", result)


def _logit(request: TrainRequest, snapshot: Snapshot) -> LogitFit:
    from loanbook.models.network import design_matrix

    def prepared(role: str, limit: int | None) -> tuple[Matrix, Matrix, Matrix]:
        frame = snapshot.role_frame(role, limit)
        design = design_matrix(snapshot.spec, *matrices(frame, snapshot.spec))
        return design, frame["label"].to_numpy(np.float32), frame["weight"].to_numpy(np.float32)

    width = prepared("train", 0)[0].shape[1]
    train = prepared("train", min(request.train.logit_rows, LOGIT_CELLS // width))
    if not request.trainable:
        return constant_logit(train[0].shape[1], request.rate)
    return fit_logit(train, prepared("tune", None), request.train.logit_strengths)
