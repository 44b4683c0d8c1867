"""The files that were named: found in folders and archives, and refused by name where they are no tape."""

from loanbook.errors import InputError
from loanbook.path_forms import local_path
from loanbook.sources.files import TapeFile, files_of


def arrived_files(text: str) -> tuple[list[TapeFile], list[str]]:
    """Return the files under one name given, in order, and the names of those passed over as hidden.

    Raises:
        InputError: nothing of that name, a folder or archive without files, or a damaged archive.
    """
    found, path = files_of([text]), local_path(text, "a tape")
    shown = (
        [file for file in found if not _hidden(file)]
        if path.is_dir() or path.suffix.lower() == ".zip"
        else found
    )
    if not shown:
        raise InputError(
            required=f"at least one file in {text}",
            found=f"only hidden ones: {', '.join(file.name for file in found)}" if found else "none",
            do="name the folder or archive that holds the tape",
        )
    return shown, [file.name for file in found if file not in shown]


def _hidden(file: TapeFile) -> bool:
    return file.name.startswith(".") or (file.member or "").startswith("__MACOSX/")
