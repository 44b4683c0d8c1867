"""``loanbook inspect-tape``: what a file that has arrived holds, before anything is configured."""

import argparse
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loanbook.errors import InputError
from loanbook.output import say
from loanbook.sources.inspect.arrived import arrived_files
from loanbook.sources.inspect.findings import Findings, inspect_file
from loanbook.sources.inspect.layouts import known_layouts
from loanbook.sources.inspect.report import as_text
from loanbook.sources.inspect.starter import starter_mapping
from loanbook.sources.landing.tape_file import TapeFile
from loanbook.warehouse.storage import write_new

log = logging.getLogger(__name__)


def inspect_tape(options: argparse.Namespace) -> dict[str, Any]:
    """Write a report of each file to stdout and return the findings in short.

    Raises:
        InputError: a file is missing, empty, damaged or no tape (the others are reported first), or the
            mapping to write exists.
    """
    begun = time.monotonic()
    mapping = Path(options.write_mapping) if options.write_mapping else None
    if options.lines < 0:
        raise InputError(required="--lines of 0 (all) or more", found=str(options.lines), do="correct it")
    if mapping is not None and mapping.exists():
        raise InputError(
            required=f"a new file for --write-mapping, not {mapping}", found="a file of that name",
            do="name another, or move that one away",
        )  # fmt: skip
    found, refused = _inspected(options.files, options.lines)
    if refused:
        raise _refusal(refused)
    if mapping is not None:
        write_new(mapping, starter_mapping(found, mapping.stem))
        say(f"wrote {mapping}: edit what it marks TODO, then ingest with --source {mapping}\n\n")
    return {
        "job": "inspect_tape",
        "status": "inspected",
        "files": [findings.summary() for findings in found],
        "mapping": str(mapping) if mapping else None,
        "seconds": round(time.monotonic() - begun, 1),
    }


def _inspected(given: Sequence[str], limit: int) -> tuple[list[Findings], list[InputError]]:
    """Report every file that can be read, and return the findings and what was refused."""
    known = known_layouts()
    for text in known.broken:
        log.warning("a mapping is not compared with: %s", text)
    found: list[Findings] = []
    refused: list[InputError] = []
    for file in _files(given, refused):
        try:
            findings = inspect_file(file, limit, known)
        except InputError as error:
            say(f"== {file.name}\n  problem    {error.found}: not read\n\n")
            refused.append(error)
            continue
        say(as_text(findings) + "\n")
        found.append(findings)
        if findings.sample.text and findings.sample.text.damage:
            refused.append(InputError(
                required=f"a whole archive {file.path.name}", found=findings.sample.text.damage,
                do="fetch the file again",
            ))  # fmt: skip
    return found, refused


def _files(given: Sequence[str], refused: list[InputError]) -> list[TapeFile]:
    files: list[TapeFile] = []
    for text in given:
        try:
            shown, passed_over = arrived_files(text)
        except InputError as error:
            refused.append(error)
            continue
        files += shown
        if passed_over:
            log.info("%s: passed over, as no part of a delivery: %s", text, ", ".join(passed_over))
    return files


def _refusal(refused: Sequence[InputError]) -> InputError:
    if len(refused) == 1:
        return refused[0]
    return InputError(
        required="; ".join(error.required for error in refused),
        found="; ".join(error.found for error in refused),
        do="; ".join(dict.fromkeys(error.do for error in refused)),
    )
