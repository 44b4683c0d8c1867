"""Lines of a delivery that were in quarantine and come again, mended."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.sources.landing.find_files import files_of
from loanbook.sources.landing.landing import Landed
from loanbook.sources.landing.tape_file import TapeFile
from loanbook.sources.mapping.file_spec import FileSpec
from loanbook.sources.mapping.mapping import TapeMapping


def replayed_delivery(
    delivery: str, mapping: TapeMapping, stored: Sequence[Mapping[str, Any]], quarantine: DataFrame | None
) -> dict[str, Any]:
    """Return the row of the delivery that is replayed, with its ``spec`` and its ``lines`` in quarantine.

    Args:
        delivery: its name.
        mapping: of the tape.
        stored: the source's rows of ``deliveries``.
        quarantine: the source's, None where nothing is published.

    Raises:
        InputError: there is no such delivery, or none of its lines is in quarantine.
    """
    rows = {row["delivery"]: row for row in stored}
    waiting = 0 if quarantine is None else quarantine.where(F.col("delivery") == delivery).count()
    if delivery not in rows or not waiting:
        known = ", ".join(sorted(key for key, row in rows.items() if row["quarantined"])) or "none"
        raise InputError(
            required="--replay with a delivery that has lines in quarantine",
            found=f"{delivery!r}; these have: {known}",
            do="name one of them; show-quarantine lists them",
        )  # fmt: skip
    row = rows[delivery]
    spec = next(spec for spec in mapping.files if spec.what == row["kind"])
    if spec.joins or spec.kind == "lookup":
        raise InputError(
            required="--replay of lines that are read by themselves",
            found=f"{row['kind']} lines of {mapping.name}, whose files are joined",
            do="deliver the mended files of the slice again",
        )
    return {**row, "lines": waiting, "spec": spec}


def replay_files(tapes: Sequence[str], again: Mapping[str, Any]) -> list[tuple[TapeFile, FileSpec]]:
    """Return the one file of mended lines, read as the delivery's file was: with its header if it had one.

    Raises:
        InputError: there are several files.
    """
    files, _ = files_of(tapes)
    if len(files) != 1:
        raise InputError(
            required=f"one file with the mended lines of {again['delivery']}",
            found=f"{len(files)} files", do="give the file that show-quarantine --export wrote, mended",
        )  # fmt: skip
    # show-quarantine exports UTF-8, whatever the encoding of the tape.
    return [(files[0], again["spec"].model_copy(update={"encoding": "utf-8-sig"}))]


def assert_every_line(file: Landed, again: Mapping[str, Any]) -> None:
    """Check that the mended file has a line for each in quarantine.

    Raises:
        InputError: it does not hold as many lines as are in quarantine.
    """
    if file.lines != again["lines"]:
        raise InputError(
            required=f"the {again['lines']} lines of {again['delivery']} in quarantine, mended or not",
            found=f"{file.lines} lines in {file.name}",
            do="keep every line: what cannot be mended goes to quarantine again",
        )  # fmt: skip
