"""What one Horovod process does: train members, and fit its share of the baselines."""

import logging
import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from loanbook.errors import InputError
from loanbook.logs import configure_logging
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings, workers_of_member
from loanbook.training.fit.alone import Alone
from loanbook.training.fit.member import train_network
from loanbook.training.fit.request import TrainRequest
from loanbook.training.fit.tasks import Tasks
from loanbook.training.snapshot.read import Snapshot

if TYPE_CHECKING:
    from loanbook.training.fit.horovod_run import Ranks


def train_rank(request: TrainRequest) -> dict[str, Any]:
    """Train as one of the ranks; return its rank, seconds, and by network rows an epoch and a digest.

    Members are shared out among the processes, or all processes train each together.
    """
    start = time.perf_counter()
    ranks = join_ranks(request.train)
    if request.trainable:
        require_devices(request.model)
    from loanbook.training.fit.export import fit_baselines

    snapshot = Snapshot(request.snapshot)
    seconds = {"start": time.perf_counter() - start, "fit": 0.0}
    tasks = Tasks(request.work / f"taken_{request.attempt}")
    together: Ranks | Alone = ranks
    members = len(snapshot.fold.members)
    networks: Iterable[int] = range(members * request.train.fits)
    if workers_of_member(request.train, members, ranks.size) == 1:
        ranks.part()
        together, networks = Alone(), tasks.taken("network", networks)
    configure_logging("text", logging.INFO if together.rank == 0 else logging.WARNING)
    began = time.perf_counter()
    fitted = {number: train_network(request, snapshot, together, number) for number in networks}
    seconds["fit"] = time.perf_counter() - began
    seconds |= fit_baselines(request, snapshot, ranks, tasks)
    return {
        "rank": ranks.rank,
        "rows": {number: rows for number, (rows, _) in fitted.items()},
        "digests": {number: digest for number, (_, digest) in fitted.items()},
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
    }


def require_devices(model: ModelSettings) -> None:
    """Refuse what this process has no device for.

    Raises:
        InputError: mixed precision, and TensorFlow sees no GPU.
    """
    import tensorflow as tf

    if model.mixed_precision and not tf.config.list_physical_devices("GPU"):
        raise InputError(
            required="a GPU for each training worker, as the model's file says mixed_precision: true",
            found="none that TensorFlow sees",
            do="take mixed_precision out of the file, or train where there are GPUs (extra train-gpu)",
        )


def join_ranks(settings: TrainSettings) -> Any:
    """Return this process as one of the ranks; TensorFlow repeats itself from here on.

    Raises:
        InputError: more workers than GPUs on this host, if it has any.
    """
    # TensorFlow's Arrow symbols break pyarrow's if it comes first; snapshot.py has imported pyarrow by now.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    from loanbook.training.fit.horovod_run import Ranks

    ranks = Ranks()
    devices = tf.config.list_physical_devices("GPU")
    for device in devices:
        tf.config.experimental.set_memory_growth(device, True)
    if devices:
        if ranks.local_rank >= len(devices):
            raise InputError(
                required="a GPU for each training worker of a host",
                found=f"{len(devices)} for worker {ranks.local_rank + 1}",
                do="set train.workers to the number of GPUs",
            )
        tf.config.set_visible_devices(devices[ranks.local_rank], "GPU")
    tf.config.threading.set_intra_op_parallelism_threads(settings.threads_per_worker)
    tf.config.threading.set_inter_op_parallelism_threads(settings.threads_per_worker)
    tf.keras.utils.set_random_seed(settings.seed + ranks.rank)
    tf.config.experimental.enable_op_determinism()
    return ranks
