"""The command line: the same arguments, output and exit codes for ``loanbook NAME`` and ``jobs/NAME.py``."""

import argparse
import json
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NoReturn

from loanbook.arguments import Command
from loanbook.commands import COMMANDS, WITHOUT_JVM
from loanbook.errors import InputError
from loanbook.failures import explained
from loanbook.interrupts import interruptible
from loanbook.logs import configure_logging
from loanbook.output import say, to_json
from loanbook.run_job import run_job

log = logging.getLogger("loanbook")

FIRST_MONTH, LAST_MONTH = date(1970, 1, 31), date(2100, 12, 31)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 bad input, 3 refused by a quality gate.

    However a job ends, the last line of stdout is its result; so does a command without a JVM that failed.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    configure_logging("json" if _value_of("--log-format", given) == "json" else "text")
    destination = _value_of("--result", given)
    try:
        with interruptible():
            _require_writable(destination)
            result, code = _do(command_line().parse_args(given)), 0
    except (Exception, KeyboardInterrupt) as error:
        failure = explained(error)
        if "--traceback" in given:
            traceback.print_exc(file=sys.stderr)
        log.error("%s", failure)
        code = failure.exit_code
        result = {"job": _job_of(given), "status": "failed", "error": str(failure)}
    if result is not None:
        _report({**result, "exit_code": code}, destination)
    return code


def _do(options: argparse.Namespace) -> dict[str, Any] | None:
    if options.command in WITHOUT_JVM:
        return WITHOUT_JVM[options.command].function()(options)
    return _run(COMMANDS[options.command], options)


def _value_of(flag: str, given: Sequence[str]) -> str | None:
    """Return what was given for a flag, also where the rest of the line cannot be parsed.

    >>> _value_of("--result", ["sql", "--result", "a.json"]), _value_of("--result", ["--result=b.json"])
    ('a.json', 'b.json')
    """
    following = {first: second for first, second in pairwise(given) if not second.startswith("--")}
    joined = {text.partition("=")[0]: text.partition("=")[2] for text in given if "=" in text}
    return {**joined, **following}.get(flag)


def _job_of(given: Sequence[str]) -> str | None:
    known = (name.replace("-", "_") for name in given if name in COMMANDS or name in WITHOUT_JVM)
    return next(known, None)


class _Parser(argparse.ArgumentParser):
    """A parser whose mistakes are errors of ours, so that they too end with a result."""

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the arguments, below their usage on stderr.

        Raises:
            InputError: always.
        """
        self.print_usage(sys.stderr)
        raise InputError(
            required=f"arguments as '{self.prog} --help' lists them", found=message, do="correct the command"
        )


def command_line() -> argparse.ArgumentParser:
    """Return the parser of every command with its arguments."""
    parser = _Parser(
        prog="loanbook",
        description="Default probabilities for a loan book, from tapes to Delta tables.",
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        child = commands.add_parser(
            command.name, help=command.help, description=command.help, allow_abbrev=False
        )
        _add_common(child)
        child.add_argument(
            "--source", help="a file of conf/sources or a YAML file; the source's name in the tables"
        )
        child.add_argument("--as-of", type=_month_end, help="month to work on, YYYY-MM-DD (any day of it)")
        for argument in command.arguments:
            child.add_argument(argument.flag, **argument.options)
    for command in WITHOUT_JVM.values():
        child = commands.add_parser(
            command.name, help=command.help, description=command.help, allow_abbrev=False
        )
        _add_common(child)
        for argument in command.arguments:
            child.add_argument(argument.flag, **argument.options)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile",
        default=os.environ.get("LOANBOOK_PROFILE", "local"),
        help="settings: a name in conf/ or a file",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="override one setting; may repeat"
    )
    parser.add_argument("--log-format", choices=("text", "json"), help="form of the log on stderr")
    parser.add_argument(
        "--result", metavar="FILE", help="also write the result, with exit_code, as JSON to this file"
    )
    parser.add_argument("--traceback", action="store_true", help="show the stack trace of an error")


def _month_end(text: str) -> date:
    """Return the last day of the month of a date.

    Raises:
        InputError: it is no date, or one of no reporting month.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not FIRST_MONTH.replace(day=1) <= day <= LAST_MONTH:
        raise InputError(
            required=f"--as-of with a date YYYY-MM-DD from {FIRST_MONTH} to {LAST_MONTH}",
            found=repr(text),
            do="name a day of the month to work on",
        )
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _run(command: Command, options: argparse.Namespace) -> dict[str, Any]:
    from loanbook.settings.settings import load_settings  # after the parser, so that --help needs no pydantic
    from loanbook.warehouse.runs import Run

    given = [*options.set, *([f"log_format={options.log_format}"] if options.log_format else [])]
    settings = load_settings(options.profile, given)
    configure_logging(settings.log_format)
    run = Run(command.name.replace("-", "_"), settings, options.as_of, options.source)
    return run_job(run, command, {name: getattr(options, name) for name in command.parameters})


def _require_writable(result: str | None) -> None:
    """Refuse a ``--result`` that could not be written now, not after the work.

    Raises:
        InputError: it is no local path, or its folder cannot be written.
    """
    if result is None:
        return
    from loanbook.path_forms import local_path
    from loanbook.warehouse.storage import why_not_writable

    path = local_path(result, "--result")
    why = f"{path} is a folder" if path.is_dir() else why_not_writable(path.parent)
    if why:
        raise InputError(
            required="--result with a file that can be written",
            found=f"{result}: {why}",
            do="name another file",
        )


def _report(result: dict[str, Any], destination: str | None) -> None:
    line = to_json(result)
    say(line + "\n")
    if destination:
        from loanbook.path_forms import local_path
        from loanbook.warehouse.storage import write_json

        try:
            write_json(local_path(destination, "--result"), json.loads(line))
        except (InputError, OSError) as error:  # the work is done or refused, and stdout has said which
            log.error("--result %s was not written: %s", destination, error)


if __name__ == "__main__":
    sys.exit(main())
