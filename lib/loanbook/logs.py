"""Logs and progress, on stderr only: stdout belongs to results."""

import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

from tqdm import tqdm

LogFormat = Literal["text", "json"]
Item = TypeVar("Item")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message and, if any, the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _is_ours(record: logging.LogRecord) -> bool:
    """Return False for the stack traces that py4j logs of an interrupt or a dead JVM: the job says it."""
    return "py4j" not in record.pathname


def configure_logging(log_format: LogFormat = "text", level: int = logging.INFO) -> None:
    """Send the package's log to stderr in the given format; safe to call again."""
    handler = logging.StreamHandler(sys.stderr)
    text = logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    handler.setFormatter(JsonFormatter() if log_format == "json" else text)
    logger = logging.getLogger("loanbook")
    logger.handlers[:] = [handler]
    logger.setLevel(level)
    logger.propagate = False
    for name in (None, "py4j.java_gateway", "py4j.clientserver"):  # None: the root
        logging.getLogger(name).addFilter(_is_ours)


def progress(items: Iterable[Item], description: str, total: int | None = None) -> Iterable[Item]:
    """Show a progress bar over ``items`` on a terminal, and nothing elsewhere."""
    bar: Iterable[Item] = tqdm(
        items, desc=description, total=total, file=sys.stderr, disable=None, leave=False
    )
    return bar


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Add the wall seconds of the block to ``seconds[name]``."""
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = round(seconds.get(name, 0.0) + time.perf_counter() - start, 2)
