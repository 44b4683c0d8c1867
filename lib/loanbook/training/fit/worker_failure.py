"""How a training process that fails says why, in one line, to the job that started it."""

import io
import os
import re
import shutil
import sys
import threading
from codecs import StreamReader
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TextIO

from loanbook.causes import cause_of
from loanbook.errors import LoanbookError

MARK = "loanbook worker failed: "
KEPT = 20_000  # characters of the end of what workers write
EXIT_CODE = re.compile(r"Exit code:\s*(-?\d+)")


@dataclass(frozen=True)
class Reporting:
    """A function that runs in a worker; where it fails, one line says why and the process ends at once.

    The other workers wait for it in an all-reduce: only its end lets Horovod stop them.
    """

    function: Callable[[Any], Any]

    def __call__(self, argument: Any) -> Any:
        """Run the function."""
        try:
            return self.function(argument)
        except Exception as error:
            own = str(error) if isinstance(error, LoanbookError) else f"{type(error).__name__}: {error}"
            sys.stderr.write(MARK + " ".join(own.split()) + "\n")
            sys.stderr.flush()
            os._exit(1)


class WorkerOutput(io.TextIOBase):
    """What workers write, passed on to a stream, with its end kept."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._end = ""

    def write(self, text: str) -> int:
        """Pass text on."""
        self._end = (self._end + text)[-KEPT:]
        return self._stream.write(text)

    def flush(self) -> None:
        """Pass it on at once."""
        self._stream.flush()

    @property
    def failure(self) -> str | None:
        """Return what the first worker to fail said."""
        said = [line.split(MARK, 1)[1] for line in self._end.splitlines() if MARK in line]
        return said[0].strip() if said else None


def pass_on(source: Any, target: Any) -> None:
    """Copy a stream; what comes over a socket line by line, as in blocks an epoch's line comes minutes late.

    Args:
        source: of text; a codec's reader of a socket's file, or what can be read in blocks.
        target: is written to, and flushed where it can be.
    """
    if not isinstance(source, StreamReader):
        shutil.copyfileobj(source, target)
        return
    file: Any = source.stream
    for line in iter(file.readline, b""):
        target.write(line.decode("utf-8", "replace"))
        target.flush()


@contextmanager
def quiet_spark_thread() -> Iterator[None]:
    """Keep the trace of Horovod's thread off the terminal: that its Spark job ended says nothing new."""
    before = threading.excepthook

    def hook(found: threading.ExceptHookArgs) -> None:
        if found.thread is None or "run_spark" not in found.thread.name:
            before(found)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


def failure_line(error: Exception, output: WorkerOutput) -> str:
    r"""Return why training failed, in one line: the worker's own word, else its exit code, else Horovod's.

    >>> died = RuntimeError("Horovod detected ... was:\nProcess name: 1\nExit code: -9\n")
    >>> failure_line(died, WorkerOutput(io.StringIO()))
    'training failed: a worker ended with exit code -9 (killed: was there memory enough?)'
    """
    if output.failure is not None:
        return f"training failed in a worker: {output.failure}"
    code = EXIT_CODE.search(str(error))
    if code is None:
        return f"training failed in a worker: {cause_of(str(error)).line}"
    killed = " (killed: was there memory enough?)" if code[1] in ("-9", "137") else ""
    return f"training failed: a worker ended with exit code {code[1]}{killed}"
