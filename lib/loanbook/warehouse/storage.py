"""The one place that knows storage: where a table or a folder is, and what each engine calls it."""

import fcntl
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from loanbook.errors import InputError
from loanbook.path_forms import delta_name, local_path, refuse_duckdb_table, refuse_spark_files, scheme_of
from loanbook.settings.paths import PathSettings

COMPLETE = "_COMPLETE.json"
LOCK = "_LOCK"
LOCAL = ("", "file")
TABLE_SCHEMES = (*LOCAL, "s3a", "abfss")  # what Spark writes Delta to with the jars of the profile


class Storage:
    """Names of the warehouse's tables and of the folders beside them."""

    def __init__(self, paths: PathSettings, catalog: str | None = None) -> None:
        """Keep the settings.

        Raises:
            InputError: an engine could not read what a job writes to one of the paths.
        """
        self.paths = paths
        self.catalog = catalog
        self._refuse_unreadable()

    def _refuse_unreadable(self) -> None:
        scheme = scheme_of(self.paths.warehouse)
        if scheme not in TABLE_SCHEMES:
            raise InputError(
                required="paths.warehouse with a supported scheme: a path, file:, s3a: or abfss:",
                found=f"{self.paths.warehouse!r} (scheme {scheme!r})",
                do="set paths.warehouse to such a location",
            )
        if scheme in LOCAL and not self.catalog:
            refuse_duckdb_table(local_path(self.paths.warehouse, "paths.warehouse"), "paths.warehouse")
        for name, text in self.paths.model_dump(exclude={"warehouse"}).items():
            if scheme_of(text) in LOCAL:  # another one is refused by the job that needs the folder
                folder = local_path(text, f"paths.{name}")
                if name == "landing":
                    refuse_spark_files(folder, "paths.landing")

    def table_uri(self, table: str) -> str:
        """Return where the table's files are, absolute."""
        root = self.paths.warehouse
        if scheme_of(root) in LOCAL:
            root = str(local_path(root, "paths.warehouse"))
        return f"{root.rstrip('/')}/{table}"

    def table_folder(self, table: str) -> Path | None:
        """Return the table's folder where workers can write it as a local one, else None."""
        if self.catalog or scheme_of(self.paths.warehouse) not in LOCAL:
            return None
        return local_path(self.table_uri(table))

    def spark_name(self, table: str) -> str:
        """Return the name that Spark SQL knows the table by."""
        return f"{self.catalog}.{table}" if self.catalog else delta_name(self.table_uri(table))

    def duckdb_scan(self, table: str, version: int | None = None) -> str:
        """Return the DuckDB table function that reads the table, at ``version`` or as it is now."""
        uri = local_path(self.table_uri(table), "SQL without a JVM").as_uri()  # escapes "'" as well
        return f"delta_scan('{uri}')" if version is None else f"delta_scan('{uri}', version => {version})"

    def local_folders(self) -> dict[str, str]:
        """Return the folders of the settings that are local, by the setting's name."""
        given = {f"paths.{name}": str(uri) for name, uri in self.paths}
        return {name: str(local_path(uri)) for name, uri in given.items() if scheme_of(uri) in LOCAL}

    def require_writable(self) -> None:
        """Refuse a local warehouse that cannot be written before the work, not in the midst of it.

        Raises:
            InputError: it cannot be written.
        """
        if self.table_folder("runs") is None:
            return
        if why := why_not_writable(local_path(self.paths.warehouse)):
            raise InputError(
                required="paths.warehouse, a folder that can be written",
                found=f"{self.paths.warehouse}: {why}",
                do="set paths.warehouse to another folder, or let the user that runs the job write there",
            )

    def has_table(self, table: str) -> bool:
        """Return whether a local table has a log yet."""
        return (local_path(self.table_uri(table)) / "_delta_log").is_dir()

    def lease_folder(self, name: str) -> Path | None:
        """Return the folder of a lease, None where the warehouse is not local: only there can it be held."""
        if scheme_of(self.paths.warehouse) not in LOCAL:
            return None
        return local_path(self.paths.warehouse) / "_writers" / name

    def model_folder(self, *parts: str) -> Path:
        """Return a folder of registered models."""
        return local_path(self.paths.models, "paths.models").joinpath(*parts)

    def snapshot_folder(self, *parts: str) -> Path:
        """Return a folder of training snapshots and checkpoints."""
        return local_path(self.paths.snapshots, "paths.snapshots").joinpath(*parts)

    def report_folder(self, *parts: str) -> Path:
        """Return a folder of reports."""
        return local_path(self.paths.reports, "paths.reports").joinpath(*parts)

    def tracking_folder(self, *parts: str) -> Path:
        """Return a folder of what is recorded of trainings."""
        return local_path(self.paths.tracking, "paths.tracking").joinpath(*parts)


def why_not_writable(folder: Path) -> str:
    """Return why nothing can be written in ``folder``, which may be still to be made; empty if it can."""
    above = next(path for path in (folder, *folder.parents) if path.exists())
    if not above.is_dir():
        return f"{above} is a file"
    return "" if os.access(above, os.W_OK) else f"{above} cannot be written"


def is_complete(folder: Path) -> bool:
    """Return whether ``published_folder`` finished writing ``folder``."""
    return (folder / COMPLETE).is_file()


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    temporary.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", "utf-8")
    temporary.replace(path)


def write_new(path: Path, text: str) -> None:
    """Write a text file that does not exist yet.

    Raises:
        InputError: it exists, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise InputError(
            required=f"a new file {path} in a folder that exists",
            found="it exists" if isinstance(error, FileExistsError) else str(error.strerror or error),
            do="name another file",
        ) from error


def read_json(path: Path) -> Any:
    """Read a JSON file that a job has written.

    Raises:
        InputError: it is missing, or altered so that it is no JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            required=f"the file {path} as a job wrote it",
            found=str(getattr(error, "strerror", None) or f"no JSON ({error})"),
            do=f"restore it, or remove {path.parent} and run the job that wrote it again",
        ) from error


@contextmanager
def published_folder(target: Path, marker: dict[str, Any] | None = None) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``target`` when the block ends well.

    Its marker file is written last. An earlier ``target`` is replaced; an error leaves nothing of the new.
    """
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        write_json(temporary / COMPLETE, marker or {})
        if target.exists():
            shutil.rmtree(target)
        temporary.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def held_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder that is removed when the block ends, or by the next holder where this one is killed.

    A process that dies loses its lock: a folder beside this one whose lock is free is what it left.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for lock in folder.parent.glob(f"[!.]*/{LOCK}"):
        with suppress(OSError), lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
    fresh = folder.with_name(f".{folder.name}")  # not seen by others until it is locked
    fresh.mkdir()
    with (fresh / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fresh.rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
