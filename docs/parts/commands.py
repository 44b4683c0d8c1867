"""The commands and their options, from the parser that the shell uses."""

import argparse
from collections.abc import Iterable, Iterator

from docs.parts.markdown import REQUIRED, code, rows
from loanbook.cli import command_line
from loanbook.commands import COMMANDS, WITHOUT_JVM


def common_options() -> str:
    """Return the options that every command has."""
    return _shared_options(_shared([*COMMANDS, *WITHOUT_JVM]))


def job_options() -> str:
    """Return the options that every job has besides."""
    return _shared_options(_shared(COMMANDS) - _shared([*COMMANDS, *WITHOUT_JVM]))


def commands() -> str:
    """Return a section for each command with the options of its own."""
    parts = []
    for name, parser in _parsers():
        shared = _shared(COMMANDS if name in COMMANDS else [*COMMANDS, *WITHOUT_JVM])
        own = [action for action in parser._actions if action.dest not in shared]
        about = str(parser.description)
        parts.append(f"## {name} {{#{name}}}\n\n{about[0].upper()}{about[1:]}.\n")
        parts.append(_options(own) + "\n" if own else "It has no options of its own.\n")
    return "\n".join(parts)


def _parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in command_line()._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def _shared(names: Iterable[str]) -> set[str]:
    """Return the options that each of these commands has."""
    parsers = dict(_parsers())
    return set.intersection(*({action.dest for action in parsers[name]._actions} for name in names))


def _shared_options(names: set[str]) -> str:
    first = dict(_parsers())[next(iter(COMMANDS))]
    return _options(action for action in first._actions if action.dest in names)


def _options(actions: Iterable[argparse.Action]) -> str:
    return rows(("option", "means", "default"), map(_option, actions))


def _option(action: argparse.Action) -> tuple[str, str, str]:
    name = " ".join(action.option_strings[-1:]) or action.dest
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    if action.choices is not None:
        value = "|".join(map(str, action.choices))
    given = f"{name} {value}".strip() if action.option_strings else str(action.metavar or action.dest)
    default = "" if action.default in (None, False, [], argparse.SUPPRESS) else str(action.default)
    need = f"; {REQUIRED}" if action.required and action.nargs != "?" else ""
    return code(given + ("..." if action.nargs == "+" else "")), f"{action.help}{need}", code(default)
