"""The files that were named: found in folders and archives, and refused by name where they are no tape."""

from loanbook.errors import InputError
from loanbook.sources.landing.find_files import files_of
from loanbook.sources.landing.tape_file import TapeFile


def arrived_files(text: str) -> tuple[list[TapeFile], list[str]]:
    """Return the files under one name given, in order, and the names of leftovers that are passed over.

    Raises:
        InputError: nothing of that name, a folder or archive without files, or a damaged archive.
    """
    found, passed_over = files_of([text])
    if not found:
        raise InputError(
            required=f"at least one file in {text}",
            found=f"only hidden ones and leftovers: {', '.join(passed_over)}" if passed_over else "none",
            do="name the folder or archive that holds the tape",
        )
    return found, passed_over
