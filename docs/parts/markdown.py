"""Text as Markdown: tables and code."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
REQUIRED = "required"
HEADER = ("key", "default", "may be", "means")  # of a table of settings or keys


def rows(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    r"""Return a table of Markdown.

    >>> print(rows(("a", "b"), [("1|2", "x")]))
    | a | b |
    |---|---|
    | 1\|2 | x |
    """
    cells = [header, ["---"] * len(header), *([cell.replace("|", "\\|") for cell in line] for line in lines)]
    made = ["| " + " | ".join(line) + " |" for line in cells]
    made[1] = "|" + "---|" * len(header)
    return "\n".join(made)


def code(text: str) -> str:
    """Return a text as code, a pipe in it so that it ends no cell of a table; nothing of an empty one.

    >>> code("a"), code("a|b"), code("")
    ('`a`', '<code>a&#124;b</code>', '')
    """
    if "|" in text:
        return f"<code>{escape(text).replace('|', '&#124;')}</code>"
    return f"`{text}`" if text else ""


def first_line(model: type[BaseModel]) -> str:
    """Return the first line of a model's docstring, as Markdown."""
    return str(model.__doc__).strip().splitlines()[0].replace("``", "`")
