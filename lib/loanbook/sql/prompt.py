"""``loanbook sql``: a query, or a prompt, over the tables and views without a JVM."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from loanbook.errors import InputError
from loanbook.output import say
from loanbook.settings.settings import load_settings
from loanbook.sql.answers import FORMATS
from loanbook.sql.duckdb import Warehouse
from loanbook.sql.view_definitions import view_question
from loanbook.warehouse.storage import Storage

HISTORY = ".loanbook_history"
LEAVE = ("exit", "quit")


def main(options: argparse.Namespace) -> None:
    """Answer ``options.query``; without one, read statements from a prompt or from stdin.

    Raises:
        InputError: bad settings, an empty warehouse, or a query that DuckDB refuses.
    """
    settings = load_settings(options.profile, options.set)
    warehouse = Warehouse(Storage(settings.paths, settings.catalog))
    if options.query is None and sys.stdin.isatty():
        _converse(warehouse, options.format)
        return
    given = statements(sys.stdin) if options.query is None else iter([options.query])
    if not sum(_answer(warehouse, text, options.format) for text in given):
        raise InputError(
            required="a query, as an argument or on stdin",
            found="none" if options.query is None else repr(options.query),
            do="give one, such as 'SELECT * FROM run_history', or 'help' at the prompt",
        )


def _answer(warehouse: Warehouse, text: str, form: str) -> int:
    """Say the answer to each statement of a text, and return how many there were."""
    found = warehouse.statements(text)
    for statement in found:
        say(FORMATS[form](warehouse.ask(statement)))
    return len(found)


def _converse(warehouse: Warehouse, form: str) -> None:
    say("Statements end with ';'. 'help' lists tables and views, 'exit' leaves.\n")
    for statement in statements(_typed_lines()):
        if statement.lower() == "help":
            say(contents(warehouse))
            continue
        try:
            _answer(warehouse, statement, form)
        except InputError as error:
            say(f"{error}\n")


def _typed_lines() -> Iterator[str | None]:
    """Yield typed lines, and None where the statement begun is to be forgotten."""
    from prompt_toolkit import PromptSession  # only a terminal needs it
    from prompt_toolkit.history import FileHistory

    session: PromptSession[str] = PromptSession(history=FileHistory(str(Path.home() / HISTORY)))
    while True:
        try:
            yield session.prompt("loanbook> ")
        except EOFError:
            return
        except KeyboardInterrupt:
            yield None


def statements(lines: Iterable[str | None]) -> Iterator[str]:
    r"""Yield statements: each ends with a line's last ``;`` or with the input; ``help`` is one by itself.

    Args:
        lines: as they were read or typed; None: forget the statement begun.

    >>> list(statements(["select 1,", " 2;", "help", "select 3"]))
    ['select 1,\n 2', 'help', 'select 3']
    >>> list(statements(["select oops", None, "select 1;", "exit", "select 2;"]))
    ['select 1']
    """
    pending: list[str] = []
    for line in lines:
        if line is None:
            pending = []
            continue
        text = line.rstrip()
        word = text.strip(" ;").lower() if not pending else ""
        if word in LEAVE:
            return
        pending.append(text.removesuffix(";"))
        if text.endswith(";") or word == "help":
            yield from _complete(pending)
            pending = []
    yield from _complete(pending)


def _complete(pending: list[str]) -> Iterator[str]:
    statement = "\n".join(pending).strip()
    if statement:
        yield statement


def contents(warehouse: Warehouse) -> str:
    """Return the names of the tables, and the views with what each answers."""
    width = max(len(name) for name in warehouse.views)
    views = "".join(f"  {name.ljust(width)}  {view_question(name)}\n" for name in warehouse.views)
    return f"Tables: {', '.join(warehouse.tables)}\nViews:\n{views}"
