"""What one Horovod process does: train the members in turn, and fit its share of the baselines."""

import logging
import os
import time
from functools import partial
from typing import Any

from loanbook.logs import configure_logging
from loanbook.settings.train import TrainSettings
from loanbook.training.fit.request import TrainRequest, checkpoint_file
from loanbook.training.snapshot.fold import Member
from loanbook.training.snapshot.read import Snapshot

logger = logging.getLogger(__name__)

UNTRAINED: dict[str, Any] = {"epochs": 0, "best_epoch": 0, "tune_log_loss": None, "history": []}


def train_rank(request: TrainRequest) -> dict[str, Any]:
    """Train as one of the ranks; return its rank, seconds, and by member rows an epoch and a digest."""
    start = time.perf_counter()
    ranks = _start(request.train)
    from loanbook.training.fit.export import export_member, fit_baselines
    from loanbook.training.fit.horovod_run import digest

    snapshot = Snapshot(request.snapshot)
    seconds = {"start": time.perf_counter() - start, "fit": 0.0}
    rows, digests = [], []
    for number, member in enumerate(snapshot.fold.members):
        if len(snapshot.fold.members) > 1:
            logger.info("member %d of %d", number + 1, len(snapshot.fold.members))
        began = time.perf_counter()
        network = _network(request, snapshot, number)
        rows.append(snapshot.rows_fitted(member, ranks.size) // ranks.size if request.trainable else 0)
        progress = dict(UNTRAINED)
        if request.trainable:
            progress = _fit(request, snapshot, network, ranks, rows[-1], (number, member))
        digests.append(digest(network.kept))
        seconds["fit"] += time.perf_counter() - began
        if ranks.rank == 0:
            export_member(request, number, network, progress)
    seconds |= fit_baselines(request, snapshot, ranks.rank, ranks.size)
    return {
        "rank": ranks.rank,
        "rows": rows,
        "digests": digests,
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
    }


def _network(request: TrainRequest, snapshot: Snapshot, number: int) -> Any:
    import tensorflow as tf

    from loanbook.models.network import build_network

    tf.keras.backend.clear_session()  # names of layers do not depend on the members before
    tf.keras.utils.set_random_seed(request.train.seed + number)
    return build_network(
        snapshot.spec,
        request.model.backbone,
        request.target,
        rate=request.rate,
        seed=request.train.seed + number,
    )


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


def _fit(
    request: TrainRequest,
    snapshot: Snapshot,
    network: Any,
    ranks: Any,
    rows: int,
    numbered: tuple[int, Member],
) -> dict[str, Any]:
    from loanbook.training.fit.loop import Loop
    from loanbook.training.fit.reader import epoch_batches

    number, member = numbered
    tune = snapshot.rows_of(snapshot.role_frame(member.tune).iloc[ranks.rank :: ranks.size])
    seed = request.train.seed + number
    epochs = partial(
        _open_epoch,
        epoch_batches,
        snapshot,
        member,
        batch=request.model.batch_size,
        seed=seed,
        ranks=ranks,
    )
    checkpoint = request.work / checkpoint_file(number)
    loop = Loop(network, request.target, request.model, ranks, rows=rows, checkpoint=checkpoint, seed=seed)
    progress = loop.run(epochs, tune, request.resume)
    return {
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "tune_log_loss": progress.best_loss,
        "history": progress.history,
    }


def _open_epoch(
    open_batches: Any, snapshot: Snapshot, member: Member, epoch: int, *, batch: int, seed: int, ranks: Any
) -> Any:
    return open_batches(
        snapshot.training_files(member, ranks.size),
        snapshot.folder,
        snapshot.spec,
        snapshot.targets,
        batch=batch,
        seed=seed,
        epoch=epoch,
        rank=ranks.rank,
        size=ranks.size,
    )
