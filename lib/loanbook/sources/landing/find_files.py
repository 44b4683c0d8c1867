"""The files of a tape, found in folders and archives, and which pattern of a mapping each of them matches."""

import logging
import re
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from loanbook.errors import InputError
from loanbook.path_forms import delta_name, local_path
from loanbook.sources.landing.leftovers import is_leftover
from loanbook.sources.landing.tape_file import TapeFile, damaged
from loanbook.sources.mapping.file_spec import FileSpec

log = logging.getLogger(__name__)

DELTA_LOG = "_delta_log"
CATALOGUE = "table:"  # begins the name of a catalogue's table that is given in place of a path

Spec = TypeVar("Spec", bound=FileSpec)


def find_files(
    given: Sequence[str], specs: Sequence[Spec], *, every: bool = True
) -> list[tuple[TapeFile, Spec]]:
    """Return the files that match a pattern, with the spec of the pattern, in order of name.

    Folders are searched below, archives inside. Files of folders and archives that match no pattern, or that
    are no part of a delivery, are named in the log.

    Args:
        given: see ``files_of``.
        specs: the kinds of file of a mapping.
        every: whether each spec needs a file; otherwise one of them does.

    Raises:
        InputError: a path does not exist, no file matches a spec, a file that was named itself matches none,
            or one name appears twice.
    """
    found, passed_over = files_of(given)
    if passed_over:
        log.info("passed over, as no part of a delivery: %s", _listed(passed_over))
    matched = [
        (file, spec)
        for spec in specs
        for file in sorted(set(found), key=lambda file: file.name)
        if re.fullmatch(spec.pattern, file.name)
    ]
    lacking = [spec for spec in specs if not any(other is spec for _, other in matched)]
    for spec in lacking:
        if every or len(lacking) == len(specs):
            raise InputError(
                required=f"a file whose name matches {spec.pattern!r}",
                found=_listed([file.name for file in found])
                + (f"; passed over: {_listed(passed_over)}" if passed_over else ""),
                do="give the tape's folder or files, and the source that they belong to",
            )
    _say_unmatched(given, found, {file for file, _ in matched}, specs)
    names = [file.name for file, _ in matched]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            required="each file of the tape once", found=_listed(repeated), do="leave the repeated ones out"
        )
    return matched


def _say_unmatched(
    given: Sequence[str], found: Sequence[TapeFile], matched: Collection[TapeFile], specs: Sequence[Spec]
) -> None:
    left = [file for file in found if file not in matched]
    paths = {local_path(text) for text in given if not text.startswith(CATALOGUE)}
    named = [file.name for file in left if file.member is None and file.path in paths]
    if named:
        patterns = ", ".join(repr(spec.pattern) for spec in specs)
        raise InputError(
            required=f"files whose names match one of {patterns}",
            found=_listed(named),
            do="leave them out, rename them, or name the source that they belong to",
        )
    if left:
        log.warning(
            "left out, as no pattern of the source matches: %s", _listed([file.name for file in left])
        )


def files_of(given: Sequence[str]) -> tuple[list[TapeFile], list[str]]:
    """Return every file in the folders and archives given, and the names of leftovers that are passed over.

    What was named itself is never passed over.

    Args:
        given: paths, or ``table:`` and the name of a catalogue's Delta table.

    Raises:
        InputError: a path does not exist or is no file, or an archive is damaged or holds one name twice.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("loans.csv.gz", ".loans.csv.crc"):
    ...         (Path(folder) / name).touch()
    ...     found, passed_over = files_of([folder])
    >>> [file.name for file in found], passed_over
    (['loans.csv'], ['.loans.csv.crc'])
    """
    found: list[TapeFile] = []
    passed_over: list[str] = []
    for text in given:
        if text.startswith(CATALOGUE):
            table = text.removeprefix(CATALOGUE)
            found.append(TapeFile(Path(table), table.rpartition(".")[2], table=table))
            continue
        root = local_path(text, "a tape")
        for path in _paths(root, text):
            if is_leftover(path.relative_to(root).parts):
                passed_over.append(str(path.relative_to(root)))
            else:
                members, others = _members(path)
                found += members
                passed_over += others
    return found, passed_over


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5]) or "no file"
    return shown + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _paths(path: Path, text: str) -> list[Path]:
    if not path.exists():
        raise InputError(
            required=f"a file or folder {text}", found="nothing of that name", do="correct the path"
        )
    every = [path, *path.rglob("*")]
    no_files = (entry for entry in every if not entry.is_file() and not entry.is_dir())
    if odd := sorted(str(entry) for entry in no_files if not is_leftover(entry.relative_to(path).parts)):
        raise InputError(
            required=f"files and folders in {text}",
            found=f"a link to nothing, or a pipe or device, which cannot be read twice: {_listed(odd)}",
            do="put the file itself there",
        )
    if path.is_file():
        return [path]
    tables = sorted(log.parent for log in path.rglob(DELTA_LOG) if log.is_dir())
    files = (file for file in every if file.is_file())
    return tables + sorted(file for file in files if not any(file.is_relative_to(table) for table in tables))


def _members(path: Path) -> tuple[list[TapeFile], list[str]]:
    """Return the files that a path is or holds, and the names of leftovers in an archive."""
    if path.is_dir():
        return [TapeFile(path, path.name, table=delta_name(str(path)))], []
    if path.suffix.lower() != ".zip":
        return [TapeFile(path, path.name[:-3] if path.suffix.lower() == ".gz" else path.name)], []
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except zipfile.BadZipFile as error:
        raise damaged(path, error) from error
    parts = {entry: PurePosixPath(entry.replace("\\", "/")).parts for entry in entries}
    kept = [entry for entry in entries if not is_leftover(parts[entry])]
    if repeated := sorted({entry for entry in kept if kept.count(entry) > 1}):
        raise InputError(
            required=f"each file once in the archive {path.name}", found=f"twice: {_listed(repeated)}",
            do="unpack it, tell which is meant, and give that file",
        )  # fmt: skip
    return [TapeFile(path, parts[entry][-1], entry) for entry in kept], sorted({*entries} - {*kept})
