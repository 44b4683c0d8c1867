"""How a job ends when told to: SIGTERM and Ctrl-C raise in the main thread, and no library takes them."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _raise(number: int, frame: FrameType | None) -> None:
    # A second one, while the first is being recorded, ends the process at once.
    signal.signal(number, signal.SIG_DFL)
    raise KeyboardInterrupt(signal.Signals(number).name)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM raise ``KeyboardInterrupt`` in the block as SIGINT does, each with its name."""
    with signals_kept():
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, _raise)
        yield


@contextmanager
def signals_kept() -> Iterator[None]:
    """Put the handlers back that a library replaces in the block.

    Spark's asks the JVM by the connection that the interrupted call still holds; Horovod's sets a flag.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
