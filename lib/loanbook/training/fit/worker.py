"""What one Horovod process does: train, and on rank 0 fit the baselines and export all."""

import logging
import os
import time
from functools import partial
from typing import Any

from loanbook.logs import configure_logging
from loanbook.settings.train import TrainSettings
from loanbook.training.fit.request import CHECKPOINT, TrainRequest
from loanbook.training.snapshot.read import Snapshot

UNTRAINED: dict[str, Any] = {"epochs": 0, "best_epoch": 0, "tune_log_loss": None, "history": []}


def train_rank(request: TrainRequest) -> dict[str, Any]:
    """Train as one of the ranks; return its rank, rows an epoch, a digest of its weights, and seconds."""
    start = time.perf_counter()
    ranks = _start(request.train)
    from loanbook.models.network import build_network
    from loanbook.training.fit.export import export
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
        export(request, snapshot, network, progress)
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
