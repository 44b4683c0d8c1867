"""A query's answer as a table, CSV or JSON."""

import csv
import io
import itertools
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from loanbook.output import to_json
from loanbook.sql.duckdb import Answer

MAX_TABLE_ROWS = 200


def as_table(answer: Answer, most: int = MAX_TABLE_ROWS) -> str:
    """Return aligned columns, numbers to the right; at most the first ``most`` rows, and then it says so.

    >>> print(as_table(Answer(["state", "loans"], [("current", 12), ("dpd30", 3)]), most=1), end="")
    state    loans
    -------  -----
    current     12
    (2 rows, the first 1 shown; --format csv gives all)
    """
    shown = answer.rows[:most]
    cells = [[_cell(value) for value in row] for row in shown]
    numeric = [any(_is_number(row[k]) for row in shown) for k in range(len(answer.columns))]
    widths = [max(len(name), *(len(row[k]) for row in cells), 1) for k, name in enumerate(answer.columns)]
    lines = [answer.columns, ["-" * width for width in widths], *cells]
    text = "".join(_line(line, widths, numeric) + "\n" for line in lines)
    count = f"{len(answer.rows):,} row{'' if len(answer.rows) == 1 else 's'}"
    more = f", the first {most} shown; --format csv gives all" if len(answer.rows) > len(shown) else ""
    return f"{text}({count}{more})\n"


def _line(cells: list[str], widths: list[int], numeric: list[bool]) -> str:
    padded = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.2f}"
    if value is None:
        return ""
    return to_json(value) if isinstance(value, list | dict) else str(value)


def as_csv(answer: Answer) -> str:
    r"""Return comma-separated values with a header; a null is empty.

    >>> as_csv(Answer(["loan_id", "upb"], [("a,b", None)]))
    'loan_id,upb\n"a,b",\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(answer.columns)
    writer.writerows(
        [to_json(value) if isinstance(value, list | dict) else value for value in row] for row in answer.rows
    )
    return out.getvalue()


def as_json(answer: Answer) -> str:
    """Return a JSON list of objects, one a row.

    Amounts are numbers; dates are text, and so is a float that is not finite, for which JSON has no number. A
    name that occurs again gets a number.

    >>> as_json(Answer(["a", "a"], [(1, float("nan"))])).split()
    ['[', '{', '"a":', '1,', '"a_1":', '"NaN"', '}', ']']
    """
    names = _unlike(answer.columns)
    objects = [dict(zip(names, row, strict=True)) for row in answer.rows]
    return to_json(objects, _plain, indent=1) + "\n"


def _unlike(names: Sequence[str]) -> list[str]:
    """Return the names, each repeated one with a number as DuckDB gives it in a subquery."""
    unlike: list[str] = []
    for name in names:
        again = (f"{name}_{k}" for k in itertools.count(1))
        unlike.append(name if name not in unlike else next(n for n in again if n not in (*unlike, *names)))
    return unlike


def _plain(value: Any) -> float | str:
    return float(value) if isinstance(value, Decimal) else str(value)


FORMATS: dict[str, Callable[[Answer], str]] = {"table": as_table, "csv": as_csv, "json": as_json}
