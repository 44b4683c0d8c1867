"""What one Horovod process does: train members, and fit its share of the baselines."""

import logging
import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from loanbook.logs import configure_logging
from loanbook.settings.train import TrainSettings, workers_of_member
from loanbook.training.fit.alone import Alone
from loanbook.training.fit.request import TrainRequest, checkpoint_file
from loanbook.training.fit.tasks import Tasks
from loanbook.training.snapshot.fold import Member
from loanbook.training.snapshot.read import Snapshot

if TYPE_CHECKING:
    from loanbook.training.fit.horovod_run import Ranks

logger = logging.getLogger(__name__)

UNTRAINED: dict[str, Any] = {"epochs": 0, "best_epoch": 0, "tune_log_loss": None, "history": []}


def train_rank(request: TrainRequest) -> dict[str, Any]:
    """Train as one of the ranks; return its rank, seconds, and by member rows an epoch and a digest.

    Members are shared out among the processes, or all processes train each together.
    """
    start = time.perf_counter()
    ranks = _start(request.train)
    from loanbook.training.fit.export import fit_baselines

    snapshot = Snapshot(request.snapshot)
    seconds = {"start": time.perf_counter() - start, "fit": 0.0}
    tasks = Tasks(request.work / f"taken_{request.attempt}")
    together: Ranks | Alone = ranks
    members: Iterable[tuple[int, Member]] = enumerate(snapshot.fold.members)
    if workers_of_member(request.train, len(snapshot.fold.members), ranks.size) == 1:
        ranks.part()
        together, members = Alone(), tasks.taken("member", members)
    configure_logging("text", logging.INFO if together.rank == 0 else logging.WARNING)
    fitted = {}
    began = time.perf_counter()
    for number, member in members:
        fitted[number] = _train_member(request, snapshot, together, number, member)
    seconds["fit"] = time.perf_counter() - began
    seconds |= fit_baselines(request, snapshot, ranks, tasks)
    return {
        "rank": ranks.rank,
        "rows": {number: rows for number, (rows, _) in fitted.items()},
        "digests": {number: digest for number, (_, digest) in fitted.items()},
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
    }


def _train_member(
    request: TrainRequest, snapshot: Snapshot, ranks: Any, number: int, member: Member
) -> tuple[int, str]:
    """Train and write a member; return this rank's rows an epoch, and a digest of the network."""
    from loanbook.training.fit.export import export_member
    from loanbook.training.fit.horovod_run import digest

    if (members := len(snapshot.fold.members)) > 1:
        logger.info("member %d of %d", number + 1, members)
    network = _network(request, snapshot, number)
    rows = snapshot.rows_fitted(member, ranks.size) // ranks.size if request.trainable else 0
    progress = dict(UNTRAINED)
    if request.trainable:
        progress = _fit(request, snapshot, network, ranks, rows, (number, member))
    found = digest(network.kept)
    if ranks.rank == 0:
        export_member(request, number, network, progress)
    return rows, found


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
    from loanbook.training.fit.feed import RankRows, feed_of
    from loanbook.training.fit.loop import Loop
    from loanbook.training.fit.reader import Columns

    number, member = numbered
    tune = snapshot.rows_of(snapshot.role_frame(member.tune).iloc[ranks.rank :: ranks.size])
    seed = request.train.seed + number
    own = RankRows(
        snapshot.training_files(member, ranks.size)[ranks.rank :: ranks.size],
        snapshot.folder,
        Columns.of(snapshot.spec, snapshot.targets),
        rows=rows,
        batch=request.model.batch_size,
        seed=seed,
        rank=ranks.rank,
    )
    loop = Loop(
        network,
        request.target,
        request.model,
        ranks,
        rows=rows,
        checkpoint=request.work / checkpoint_file(number),
        seed=seed,
        name=f"member {number + 1}: " if len(snapshot.fold.members) > 1 else "",
    )
    progress = loop.run(feed_of(own, request.train.rows_in_memory_mib).epoch, tune, request.resume)
    return {
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "tune_log_loss": progress.best_loss,
        "history": progress.history,
    }
