"""The command line: the same arguments, output and exit codes for ``loanbook NAME`` and ``jobs/NAME.py``."""

import argparse
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from loanbook.commands import COMMANDS, WITHOUT_JVM, Command, run_job
from loanbook.errors import InputError, LoanbookError
from loanbook.logs import configure_logging
from loanbook.output import say

log = logging.getLogger("loanbook")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 failed, 2 bad input, 3 refused by a quality gate."""
    options = _parser().parse_args(arguments)
    configure_logging(options.log_format or "text")
    if options.command in WITHOUT_JVM:
        return _guarded(lambda: WITHOUT_JVM[options.command].function()(options), options)
    return _guarded(lambda: _run(COMMANDS[options.command], options), options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="loanbook", description="Default probabilities for a loan book, from tapes to Delta tables."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        child = commands.add_parser(command.name, help=command.help, description=command.help)
        _add_common(child)
        child.add_argument(
            "--source", help="a file of conf/sources or a YAML file; the source's name in the tables"
        )
        child.add_argument("--as-of", type=_month_end, help="month to work on, YYYY-MM-DD (any day of it)")
        for argument in command.arguments:
            child.add_argument(argument.flag, **argument.options)
    for command in WITHOUT_JVM.values():
        child = commands.add_parser(command.name, help=command.help, description=command.help)
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
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a date YYYY-MM-DD is required, found {text!r}") from error
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _run(command: Command, options: argparse.Namespace) -> dict[str, Any]:
    from loanbook.config import load_settings  # after the parser, so that --help needs no pydantic
    from loanbook.runs import Run

    given = [*options.set, *([f"log_format={options.log_format}"] if options.log_format else [])]
    settings = load_settings(options.profile, given)
    configure_logging(settings.log_format)
    run = Run(command.name.replace("-", "_"), settings, options.as_of, options.source)
    return run_job(run, command, {name: getattr(options, name) for name in command.parameters})


def _guarded(work: Callable[[], dict[str, Any] | None], options: argparse.Namespace) -> int:
    result: dict[str, Any] | None = None
    job = options.command.replace("-", "_")
    try:
        _require_writable(options.result)
        result, code = work(), 0
    except KeyboardInterrupt:
        result, code = {"job": job, "status": "failed", "error": "interrupted"}, 1
    except Exception as error:
        code = error.exit_code if isinstance(error, LoanbookError) else 1
        message = (
            str(error)
            if isinstance(error, LoanbookError)
            else f"{type(error).__name__}: {_first_line(error)}"
        )
        if options.traceback:
            traceback.print_exc(file=sys.stderr)
        log.error("%s", message)
        result = {"job": job, "status": "failed", "error": message}
    if result is not None:
        _report({**result, "exit_code": code}, options)
    return code


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no message; run again with --traceback"


def _require_writable(result: str | None) -> None:
    """Refuse a ``--result`` that could not be written now, not after the work.

    Raises:
        InputError: it is no local path, or its folder cannot be written.
    """
    if result is None:
        return
    from loanbook.storage import local_path

    path = local_path(result, "--result")
    folder = next(parent for parent in path.parents if parent.exists())
    if path.is_dir() or not os.access(folder, os.W_OK) or not folder.is_dir():
        raise InputError(
            required="--result with a file that can be written", found=result, do="name another file"
        )


def _report(result: dict[str, Any], options: argparse.Namespace) -> None:
    line = json.dumps(result, default=str)
    say(line + "\n")
    if options.result:
        from loanbook.storage import local_path, write_json

        try:
            write_json(local_path(options.result, "--result"), json.loads(line))
        except (InputError, OSError) as error:  # the work is done or refused, and stdout has said which
            log.error("--result %s was not written: %s", options.result, _first_line(error))


if __name__ == "__main__":
    sys.exit(main())
