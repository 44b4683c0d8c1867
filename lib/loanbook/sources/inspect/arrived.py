"""The files that were named: found in folders and archives, and refused by name where they are no tape."""

from loanbook.errors import InputError
from loanbook.sources.files import TapeFile, files_of
from loanbook.storage import local_path

EXPORT = "export the data as CSV or Parquet"
UNPACK = "unpack it"
SIGNATURES = {
    b"\x1f\x8b": ("gzip data under a name without .gz", "give it the name .gz, or unpack it"),
    b"PK\x03\x04": (
        "a zip archive under another name (a spreadsheet .xlsx is one too)",
        "give an archive the name .zip; export a spreadsheet as CSV",
    ),
    b"PAR1": ("Parquet under a name without .parquet", "give it the name .parquet"),
    b"%PDF": ("a PDF document", EXPORT),
    b"\xd0\xcf\x11\xe0": ("an old spreadsheet or document (.xls, .doc)", EXPORT),
    b"SQLite format 3": ("a SQLite database", EXPORT),
    b"\x28\xb5\x2f\xfd": ("zstandard data", UNPACK),
    b"BZh": ("bzip2 data", UNPACK),
    b"7z\xbc\xaf": ("a 7z archive", UNPACK),
    b"\xfd7zXZ": ("xz data", UNPACK),
}


def arrived_files(text: str) -> tuple[list[TapeFile], list[str]]:
    """Return the files under one name given, in order, and the names of those passed over as hidden.

    Raises:
        InputError: nothing of that name, a folder or archive without files, or a damaged archive.
    """
    found, path = files_of([text]), local_path(text, "a tape")
    shown = [file for file in found if not _hidden(file)] if path.is_dir() or path.suffix == ".zip" else found
    if not shown:
        raise InputError(
            required=f"at least one file in {text}",
            found=f"only hidden ones: {', '.join(file.name for file in found)}" if found else "none",
            do="name the folder or archive that holds the tape",
        )
    return shown, [file.name for file in found if file not in shown]


def _hidden(file: TapeFile) -> bool:
    return file.name.startswith(".") or (file.member or "").startswith("__MACOSX/")


def refuse_signature(name: str, start: bytes) -> None:
    """Refuse data whose first bytes are those of another kind of file.

    Raises:
        InputError: names the kind.
    """
    for signature, (what, do) in SIGNATURES.items():
        if start.startswith(signature):
            raise InputError(required=f"delimited text in {name}", found=what, do=do)
