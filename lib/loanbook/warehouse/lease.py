"""A lease: the right to write some tables, held by one run at a time and taken over from one that died.

A lease is a folder of numbered files. Who created the highest number holds it, until its file says that it is
released, its process is gone, or its heartbeat has stood still for too long. A new holder creates the next
number, which a file system lets only one process do. Watchers time the heartbeat by their own clocks.
"""

import errno
import json
import logging
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from loanbook.errors import InputError, LoanbookError
from loanbook.warehouse.storage import write_json

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
BEATS = 4  # in the time after which a silent holder counts as dead
READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


class Lease:
    """The lease of a folder; ``holder`` is the run that wants it."""

    def __init__(self, folder: Path, holder: str) -> None:
        self._folder, self._holder, self._thread = folder, holder, threading.get_ident()
        self._number: int | None = None
        self._ended = threading.Event()
        self._heart: threading.Thread | None = None

    def acquire(self, wait_seconds: float, dead_after_seconds: float) -> None:
        """Wait until the lease is free, take it, and keep its heart beating.

        Raises:
            InputError: the folder cannot be written.
            LoanbookError: it was not free in ``wait_seconds``.
        """
        watch, started, said = _Watch(dead_after_seconds), time.monotonic(), False
        while not self._take(watch):
            held = watch.content
            if time.monotonic() - started > wait_seconds:
                raise LoanbookError(
                    f"the run {held.get('holder')} (process {held.get('pid')} on {held.get('host')}) still "
                    f"writes the tables of {self._folder.name} after {wait_seconds:g} s "
                    "(writers.wait_seconds): nothing was written, run this job again when it has ended"
                )
            if not said:
                log.info("waits for %s, which writes the same tables", held.get("holder"))
                said = True
            time.sleep(POLL_SECONDS)
        self._heart = threading.Thread(target=self._beat, args=(dead_after_seconds / BEATS,), daemon=True)
        self._heart.start()

    def is_held(self) -> bool:
        """Return whether no other run has taken the lease over."""
        try:
            number, text = _newest(self._folder)
        except FileNotFoundError:  # someone removed the folder
            return False
        return number == self._number and _object(text).get("holder") == self._holder

    def release(self) -> None:
        """Let go of the lease, if it is held; safe to call again."""
        self._ended.set()
        if self._heart is not None:
            self._heart.join()  # so that no last beat takes the release back
        if self._number is not None and self.is_held():
            with suppress(OSError):  # the process may end because its disk is full
                write_json(_file(self._folder, self._number), {**self._content(), "released": True})
        self._number = None

    def _take(self, watch: "_Watch") -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            number, text = _newest(self._folder)
            if not watch.is_free(number, text):
                return False
            with _file(self._folder, number + 1).open("x", encoding="utf-8") as file:
                file.write(json.dumps(self._content()))
        except FileExistsError:
            return False
        except OSError as error:
            raise _refused(self._folder, error) from error
        self._number = number + 1
        if watch.took_over:
            log.warning("%s did not end: its lease is taken over", watch.content.get("holder"))
        for earlier in range(number, 0, -1):
            if not _removed(_file(self._folder, earlier)):
                break
        return True

    def _beat(self, seconds: float) -> None:
        number, beats = self._number, 0
        while number is not None and not self._ended.wait(seconds):
            beats += 1
            with suppress(OSError):  # missed beats make the run lose its lease, and then it says so
                if self.is_held():
                    write_json(_file(self._folder, number), {**self._content(), "beat": beats})

    def _content(self) -> dict[str, Any]:
        pid = os.getpid()
        return {
            "holder": self._holder, "host": socket.gethostname(), "machine": _machine(), "pid": pid,
            "process_started": _started(pid), "thread": self._thread,
        }  # fmt: skip


class _Watch:
    """What a waiting run has seen of the holder."""

    def __init__(self, dead_after_seconds: float) -> None:
        self._dead_after, self._seen, self._since = dead_after_seconds, (-1, ""), 0.0
        self.content: dict[str, Any] = {}
        self.took_over = False

    def is_free(self, number: int, text: str) -> bool:
        """Return whether a lease with this newest file may be taken."""
        if (number, text) != self._seen:
            self._seen, self._since = (number, text), time.monotonic()
        self.content = _object(text)
        if number == 0 or self.content.get("released"):
            self.took_over = False
            return True
        self.took_over = _is_gone(self.content) or time.monotonic() - self._since > self._dead_after
        return self.took_over


def _newest(folder: Path) -> tuple[int, str]:
    """Return number and text of the newest file, 0 where there is none."""
    numbers = [int(file.stem) for file in folder.iterdir() if file.suffix == ".json" and file.stem.isdigit()]
    number = max(numbers, default=0)
    try:
        return number, _file(folder, number).read_text("utf-8") if number else ""
    except FileNotFoundError:  # a newer one came, and this one was removed
        return _newest(folder)


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.json"


def _removed(file: Path) -> bool:
    try:
        file.unlink()
    except OSError:
        return False
    return True


def _object(text: str) -> dict[str, Any]:
    """Return the content of a file, empty where its holder has not written it whole yet."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_gone(content: dict[str, Any]) -> bool:
    """Return whether the holder was a process of this machine that has ended, or a run of this thread."""
    if content.get("machine") != _machine() or not isinstance(content.get("pid"), int):
        return False
    if (content["pid"], content.get("thread")) == (os.getpid(), threading.get_ident()):
        return True  # it failed where nobody ended it: it cannot go on while this thread does something else
    return _started(content["pid"]) != content.get("process_started")


def _machine() -> str:
    """Return what tells this machine, since it was booted, and this space of process numbers from others."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
        return f"{socket.gethostname()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    return f"{socket.gethostname()}/{os.getpid()}"  # nothing is known of other processes


def _started(pid: int) -> str | None:
    """Return when a process started, in ticks since boot; None where there is none."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]  # a dead one may wait for its parent
    return None


def _refused(folder: Path, error: OSError) -> Exception:
    if error.errno not in READ_ONLY:
        return LoanbookError(f"the lease {folder} could not be written: {error.strerror or error}")
    return InputError(
        required="paths.warehouse that can be written",
        found=f"{folder}: {error.strerror}",
        do="make it writable for this user, or set paths.warehouse to another folder",
    )
