"""Work that is shared out to a process for each core."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

SHARED_LOAN_MONTHS = 200_000  # of a book below which other processes take longer to start than they save

Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]  # as the built-in map


@contextmanager
def on_all_cores(loan_months: int) -> Iterator[Each]:
    """Yield a ``map`` that shares its work out to a process for each core; of a small book the built-in one.

    Threads would wait for each other between NumPy's short calls. The processes are spawned: a forked one
    would inherit the locks of a Spark session's threads.

    Args:
        loan_months: of the book, at most.
    """
    cores = os.cpu_count() or 1
    if loan_months < SHARED_LOAN_MONTHS or cores == 1:
        yield map
        return
    with ProcessPoolExecutor(cores, get_context("spawn"), initializer=_end_with_the_parent) as pool:
        yield pool.map


def _end_with_the_parent() -> None:
    """Leave Ctrl-C to the process that shares its work out, and end when it does, even by SIGKILL."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        if (parent := parent_process()) is not None:
            parent.join()
        os._exit(1)

    Thread(target=wait, daemon=True).start()
