"""A file of a tape, as it was delivered: its name, a stream of its bytes, and their hash."""

import gzip
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from loanbook.errors import InputError


@dataclass(frozen=True)
class TapeFile:
    """A file of the tape: plain, gzipped, or a member of a zip archive; or a Delta table in place of one.

    Args:
        path: the file, archive or folder.
        name: what a mapping's pattern is matched with; a table's own name, a file's without ``.gz``.
        member: of an archive.
        table: what Spark SQL calls the table; None of a file.
    """

    path: Path
    name: str
    member: str | None = None
    table: str | None = None

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """Yield the file's bytes, decompressed.

        Raises:
            InputError: the archive is cut short or damaged, or this is a table.
        """
        if self.table is not None:
            raise InputError(
                required=f"a file in place of {self.name}", found="a Delta table",
                do="ingest-tapes reads it; to look at it, query it with SQL",
            )  # fmt: skip
        try:
            if self.member is not None:
                with zipfile.ZipFile(self.path) as archive, _opened(archive, self.member) as stream:
                    yield stream
            elif self.path.suffix.lower() == ".gz":
                with gzip.open(self.path) as stream:
                    yield stream  # type: ignore[misc]  # a GzipFile reads bytes
            else:
                with self.path.open("rb") as stream:
                    yield stream
        except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
            raise damaged(self.path, error) from error

    def sha256(self) -> str:
        """Return the SHA-256 of the file as delivered (of the archive, for its members).

        It is remembered by path, size and time of change, so that an archive is read once for all its
        members.
        """
        state = self.path.stat()
        return _sha256(self.path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, changed: int) -> str:
    """Return the hash of a file, worked out once for all members of an archive.

    ``size`` and ``changed`` are part of what it is remembered by.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _opened(archive: zipfile.ZipFile, member: str) -> IO[bytes]:
    try:
        return archive.open(member)
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or compressed in a way unknown here
        raise InputError(
            required=f"an archive {Path(str(archive.filename)).name} without a password, deflated",
            found=str(error),
            do="unpack it, and give the files in it",
        ) from error


def damaged(path: Path, error: Exception) -> InputError:
    """Return the error of an archive that is cut short or damaged."""
    return InputError(
        required=f"a whole archive {path.name}",
        found=f"one cut short or damaged ({error or type(error).__name__})",
        do="fetch the file again",
    )
