"""How a job ends when told to: SIGTERM and Ctrl-C raise in the main thread, and no library takes them."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)
SAME_SECONDS = 2.0  # timeout(1) and the like signal a process, and then its group with the process in it
Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGTERM raise ``KeyboardInterrupt`` in the block as SIGINT does, each with its name."""
    with _handled(dict.fromkeys(SIGNALS, _raise)):
        yield


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let what comes in the block, which must not be left halfway, take effect at its end.

    The handlers that a library sets in the block go with it: Spark's asks the JVM by the connection that the
    interrupted call still holds.
    """
    came: list[int] = []
    try:
        with _handled({number: lambda number, _: came.append(number) for number in SIGNALS}):
            yield
    finally:
        if came:
            signal.raise_signal(came[0])


def _raise(number: int, frame: FrameType | None) -> None:
    first = time.monotonic()

    def again(number: int, frame: FrameType | None) -> None:
        """End the process at once, while the first is being recorded, unless it is the same told twice."""
        if time.monotonic() - first > SAME_SECONDS:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    signal.signal(number, again)
    raise KeyboardInterrupt(signal.Signals(number).name)


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # only there can handlers be set
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
