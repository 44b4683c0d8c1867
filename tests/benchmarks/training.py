"""Training: rows fed from a snapshot beside rows in memory, two workers beside one, and each architecture.

``fed`` is what a training does: petastorm reads the snapshot once, which counts, then epochs pass over what
is kept. ``streamed`` reads it anew each epoch, as a book too large for memory is. ``memory`` is the same loop
on the same rows by tf.data's own slices. All are on one core, as is each of two workers; ``members`` are two
that train a member each, ``rows`` two that share the rows of one.

Tried without a gain of 5 percent on a CPU: the loss summed on the device and read once an epoch, as a step
runs in the caller's thread there.

``LOANBOOK_BENCH_EPOCHS`` sets the epochs of each run. On a machine that does other work too, look at the
ratios of CPU seconds.
"""

import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships no types

from tests.benchmarks.frame import Result, median_ratio, paired
from tests.benchmarks.training_book import CATEGORIES, NUMBERS, write_snapshot

MODEL = "deep_five_layer"
OTHERS = ("mlp_64_32", "mlp_embeddings", "tabm")
EPOCHS = int(os.environ.get("LOANBOOK_BENCH_EPOCHS", "5"))
FLAT = 12  # epochs over which memory is watched
MIB = 2**20


def run() -> Result:
    """Measure each comparison, three pairs of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "snapshot"
        snapshot = write_snapshot(folder)
        rows = snapshot.rows_fitted(snapshot.fold.members[0], 2)
        fed = _in_process(_feeds, folder)
        sides = {side: partial(_workers, folder, side) for side in ("one", "members", "rows")}
        scaled = paired(sides)
        others = [_in_process(_epochs, folder, model=model) for model in (MODEL, *OTHERS)]
        memory = _in_process(_watched, folder)
    for each in (run["rows_by_worker"] for run in scaled):
        if len(set(each)) > 1:
            raise ValueError(f"as many rows of each worker are required, found {each}")
    ratios = {
        "fed_over_memory": median_ratio(fed, "memory", "fed"),
        "fed_over_memory_cpu": median_ratio(fed, "memory", "fed", "cpu_seconds"),
        "streamed_over_memory_cpu": median_ratio(fed, "memory", "streamed", "cpu_seconds"),
        "two_over_one": median_ratio(scaled, "members", "one", "rows_a_second"),
        "two_over_one_by_rows": median_ratio(scaled, "rows", "one", "rows_a_second"),
        "members_over_rows": median_ratio(scaled, "members", "rows", "rows_a_second"),
        "members_over_rows_cpu": median_ratio(scaled, "members", "rows", "rows_a_cpu_second"),
        "memory_growth": memory["mib"][-1] / memory["mib"][1],
        **{f"{item['model']}_over_{MODEL}": item["seconds"] / others[0]["seconds"] for item in others[1:]},
    }
    targets = {"fed_over_memory": 0.9, "two_over_one": 1.8, "memory_growth": 1.05}
    work = {"rows": rows, "numbers": NUMBERS, "categories": CATEGORIES, "model": MODEL, "epochs": EPOCHS}
    return Result("training", work, [*fed, *scaled, *others, memory], ratios, targets)


def _in_process(function: Callable[..., Any], *given: Any, **options: Any) -> Any:
    """Return what a function returns in a new process: TensorFlow's threads are set when it starts."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, given, options)


def _workers(folder: Path, side: str) -> dict[str, Any]:
    """Return rows a second of all workers together, each at its median epoch."""
    if side == "rows":
        found = _horovod(partial(_epochs, folder, together=True))
    else:
        ranks = range(1 if side == "one" else 2)
        with multiprocessing.get_context("spawn").Pool(len(ranks)) as pool:
            waiting = [pool.apply_async(_epochs, (folder,), {"core": rank}) for rank in ranks]
            found = [each.get() for each in waiting]
    rate = sum(item["rows"] / item["seconds"] for item in found)
    return {
        "rows_a_second": rate,
        "rows_a_cpu_second": sum(item["rows"] / item["cpu_seconds"] for item in found),
        "rows_by_worker": [item["rows"] for item in found],
    }


def _horovod(function: Callable[[], Any]) -> list[Any]:
    import horovod.runner
    import horovod.runner.launch

    horovod.runner.launch.gloo_built = lambda verbose=False: True  # as in ``horovod_run.launch``
    found: list[Any] = horovod.runner.run(function, np=2, use_gloo=True)
    return found


def _loop(folder: Path, model: str, core: int = 0, together: bool = False) -> tuple[Any, Any]:
    """Return a loop on one core, and the rows of its rank."""
    rank = int(os.environ["HOROVOD_RANK"]) if together else core
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[rank % len(cores)]})
    from loanbook.settings.model import load_model_settings
    from loanbook.settings.train import TrainSettings
    from loanbook.training.fit import member
    from loanbook.training.fit.alone import Alone
    from loanbook.training.fit.request import TrainRequest
    from loanbook.training.fit.worker import join_ranks
    from loanbook.training.snapshot.read import Snapshot

    settings = load_model_settings(model).model_copy(update={"head": "default_12m"})
    work = Path(tempfile.mkdtemp(dir=folder.parent))
    request = TrainRequest(folder, work, settings, TrainSettings(), 0.05, trainable=True, resume=False)
    ranks = join_ranks(request.train)
    if not together:
        ranks = Alone()
    snapshot = Snapshot(folder)
    own = member.rows_of_rank(request, snapshot, ranks, 0)
    return member.loop_of(request, member.network_of(request, snapshot, 0), ranks, own, 0), own


def _feeds(folder: Path) -> list[dict[str, Any]]:
    """Time epochs of three feeds, three pairs, after an epoch of each to warm up."""
    import numpy as np
    import tensorflow as tf

    from loanbook.training.fit.feed import Kept, Streamed
    from loanbook.training.snapshot.read import Snapshot

    loop, own = _loop(folder, MODEL)
    snapshot = Snapshot(folder)
    all_rows = snapshot.rows(snapshot.fold.members[0].train)
    tensors = [tf.constant(each) for each in (*all_rows.inputs, all_rows.targets, all_rows.weight)]

    @contextmanager
    def in_memory(epoch: int) -> Any:
        order = tf.constant(np.random.default_rng(epoch).permutation(own.rows))
        batches = tf.data.Dataset.from_tensor_slices(order).batch(own.batch)
        yield batches.map(lambda some: tuple(tf.gather(each, some) for each in tensors)).prefetch(4)

    def timed(opened: Callable[[], Any]) -> dict[str, float]:
        before = _cpu()
        epochs = opened()
        for number in range(1, EPOCHS + 1):
            loop.epoch(epochs, number)
        return {"cpu_seconds": _cpu() - before}

    sides = {
        "fed": partial(timed, lambda: Kept(own).epoch),
        "memory": partial(timed, lambda: in_memory),
        "streamed": partial(timed, lambda: Streamed(own).epoch),
    }
    loop.epoch(in_memory, 1)
    return paired(sides)


def _epochs(folder: Path, model: str = MODEL, core: int = 0, together: bool = False) -> dict[str, Any]:
    """Return rows and seconds of an epoch of one worker: the median, after one to warm up."""
    from loanbook.training.fit.feed import Kept

    loop, own = _loop(folder, model, core, together)
    kept, seconds, used = Kept(own), [], []
    for number in range(1, EPOCHS + 1):
        start, before = time.perf_counter(), _cpu()
        loop.epoch(kept.epoch, number)
        seconds.append(time.perf_counter() - start)
        used.append(_cpu() - before)
    return {
        "model": model,
        "rows": own.rows,
        "seconds": statistics.median(seconds[1:]),
        "cpu_seconds": statistics.median(used[1:]),
    }


def _watched(folder: Path) -> dict[str, Any]:
    """Return the resident memory after each epoch, MiB."""
    from loanbook.training.fit.feed import Kept

    loop, own = _loop(folder, MODEL)
    kept, held = Kept(own), []
    for number in range(1, FLAT + 1):
        loop.epoch(kept.epoch, number)
        held.append(round(psutil.Process().memory_info().rss / MIB))
    return {"side": "memory", "mib": held}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
