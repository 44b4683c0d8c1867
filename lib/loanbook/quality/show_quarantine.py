"""``loanbook show-quarantine``: the rejected lines by reason, with examples, without a JVM."""

import argparse
import shutil
from pathlib import Path
from typing import Any

from loanbook.errors import InputError
from loanbook.output import say
from loanbook.quality.published import opened
from loanbook.sql.duckdb import Warehouse
from loanbook.warehouse.storage import write_new

MOST_FILES = 3
SELECTED = """
SELECT * FROM quarantine
WHERE ($source IS NULL OR source = $source) AND ($reason IS NULL OR LIST_CONTAINS(reasons, $reason))
  AND ($delivery IS NULL OR delivery = $delivery OR file = $delivery)
"""
GROUPS = f"""
WITH failed AS (SELECT * EXCLUDE reasons, UNNEST(reasons) AS reason FROM ({SELECTED})),
by_file AS (
  SELECT source, kind, reason, delivery, file, COUNT(*) AS lines, SUM(rows) AS rows,
    MIN({{'file': file, 'line': line, 'text': LEFT(text, $width)}}, $examples) AS examples
  FROM failed WHERE $reason IS NULL OR reason = $reason GROUP BY ALL
)
SELECT source, kind, reason, SUM(lines)::BIGINT AS lines, SUM(rows)::BIGINT AS rows, COUNT(*) AS files,
  FLATTEN(LIST(examples ORDER BY file, delivery)) AS examples,
  LIST({{'delivery': delivery, 'lines': lines}} ORDER BY lines DESC, delivery)[:{MOST_FILES}] AS most
FROM by_file GROUP BY ALL ORDER BY lines DESC, source, kind, reason
"""
LINES = f"SELECT COUNT(*), COALESCE(SUM(rows), 0)::BIGINT FROM ({SELECTED})"
LAYOUTS = f"SELECT DISTINCT source, kind FROM ({SELECTED}) ORDER BY ALL"
TEXTS = f"SELECT text FROM ({SELECTED}) ORDER BY delivery, line"
INDENT = "    "
NO_TERMINAL = (120, 24)  # columns and lines where stdout is no terminal and COLUMNS says nothing


def show_quarantine(options: argparse.Namespace) -> dict[str, Any]:
    """Print the selected lines by source, kind and reason over all files, the most frequent first.

    A line that failed several checks counts in each of its groups, and once in the result's ``lines``.
    ``rows`` counts what deliveries and reconcile call quarantined: 0 for a line whose row was published and
    which lost only the loan's terms or some values. A file is named as a delivery, by the key that
    ``ingest-tapes --replay`` takes; the same name delivered again with other content is another delivery.

    Raises:
        InputError: bad settings or options, an empty warehouse, or an export that cannot be.
    """
    if options.limit < 0:
        raise InputError(required="--limit of at least 0", found=str(options.limit), do="give another")
    warehouse = opened(options)
    chosen = {name: getattr(options, name) for name in ("source", "reason", "delivery")}
    width = shutil.get_terminal_size(NO_TERMINAL).columns
    groups = warehouse.ask(GROUPS, {**chosen, "width": width, "examples": max(options.limit, 1)})
    for row in groups.rows:
        say(_group(row, options.limit, width))
    lines, rows = warehouse.ask(LINES, chosen).rows[0]
    exported = None if options.export is None else export(warehouse, chosen, Path(options.export))
    named = [dict(zip(groups.columns[:-2], row[:-2], strict=True)) for row in groups.rows]
    own = {"job": "show_quarantine", "status": "done", "lines": lines, "rows": rows, "exported": exported}
    return {**own, "groups": named}


def _group(row: tuple[Any, ...], limit: int, width: int) -> str:
    source, kind, reason, lines, rows, files, examples, most = row
    counted = "" if rows == lines else f", {_counted(rows, 'row')}"
    title = f"{_counted(lines, 'line')} in {_counted(files, 'file')}{counted}  {reason}  ({source}, {kind})"
    shown = [
        printable(f"{INDENT}{item['file']}:{item['line']}  {item['text']}")[:width]
        for item in examples[:limit]
    ]
    named = ", ".join(f"{item['delivery']} ({item['lines']:,})" for item in most)
    shown.append(printable(f"{INDENT}{'in' if files == 1 else 'most in'} {named}"))
    return "\n".join([title, *shown]) + "\n"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    r"""Return a text whose unprintable signs are escaped, so that a tape cannot steer the terminal.

    >>> printable("A|\x1b[2J|é")
    'A|\\x1b[2J|é'
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def export(warehouse: Warehouse, chosen: dict[str, Any], path: Path) -> int:
    """Write the selected lines as they were read, one a line, to a new file; return how many.

    Args:
        warehouse: has the quarantine.
        chosen: source, reason and delivery; None: any.
        path: of the file.

    Raises:
        InputError: none is selected, they are of several layouts, a text is no single line, or ``path``
            cannot be written.
    """
    layouts = warehouse.ask(LAYOUTS, chosen).rows
    if len(layouts) != 1:
        raise InputError(
            required="lines of one source and one kind of file, whose layout they share",
            found=", ".join(f"{kind} lines of {source}" for source, kind in layouts) or "no line",
            do="select with --source, --delivery and --reason; --delivery keeps to one file",
        )
    texts = [text for (text,) in warehouse.ask(TEXTS, chosen).rows]
    if broken := sum("\n" in text for text in texts):
        raise InputError(
            required="lines that hold no line break", found=f"{broken} that do", do="mend the delivered file"
        )
    write_new(path, "".join(f"{text}\n" for text in texts))
    return len(texts)
