"""What a command says on stdout: reports, answers and, last, its result."""

import io
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any


def say(text: str) -> None:
    """Write text to stdout at once; a reader that has seen enough and left, such as head, is no error.

    What stdout's encoding lacks is written as an escape with its code point.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table: its first column flush left, as names are, the others flush right.

    Args:
        rows: cells of each line, headings included, as many in each.

    >>> aligned([("", "loans"), ("current", "7")])
    ['         loans', 'current      7']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def to_json(value: Any, default: Callable[[Any], Any] = str, indent: int | None = None) -> str:
    """Return JSON that every reader takes: what is no finite number is a text, as JSON has no word for it.

    >>> to_json({"a": [float("nan"), 1.5]})
    '{"a": ["NaN", 1.5]}'
    """
    return json.dumps(_finite(value), default=lambda found: _finite(default(found)), indent=indent)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
