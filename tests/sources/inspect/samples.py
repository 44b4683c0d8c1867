"""Files for the tests, and a short way to inspect them."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

from loanbook.sources.inspect.findings import Findings, inspect_file
from loanbook.sources.inspect.layouts import known_layouts
from loanbook.sources.inspect.profile import Field
from loanbook.sources.landing.tape_file import TapeFile

KNOWN = cache(known_layouts)


def write(folder: Path, name: str, lines: Iterable[str]) -> TapeFile:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return TapeFile(path, name)


def inspected(file: TapeFile, limit: int = 0) -> Findings:
    return inspect_file(file, limit, KNOWN())


def panel(loans: int = 10, months: int = 6) -> list[str]:
    """Return a feed's lines: a header, then each loan's months."""
    rows = [f"L{loan:03d},{202401 + month},{30 * (month % 4)},{1000.5 + loan}"
            for loan in range(loans) for month in range(months)]  # fmt: skip
    return ["loan_id,month,days_past_due,balance", *rows]


def field_of(findings: Findings, name: str) -> Field:
    return next(field for field in findings.fields if field.name == name)
