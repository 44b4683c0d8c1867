"""DuckDB over the published tables and the SQL views: no JVM, no Spark."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import duckdb

from loanbook.errors import InputError
from loanbook.path_forms import local_path
from loanbook.sql.refusals import refusal
from loanbook.sql.view_definitions import OF_RUNS, READ_BY_VIEWS, VIEWS, view_sql
from loanbook.warehouse.storage import Storage
from loanbook.warehouse.visible_version import gone, standing_of_files

PUBLISHED = """
SELECT output.key AS name, MAX(output.value) AS version
FROM (SELECT UNNEST(MAP_ENTRIES(outputs)) AS output FROM runs WHERE status = 'published')
GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class Answer:
    """Names of the columns and the rows of a query's result."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


class Warehouse:
    """A connection with one view for each published table, at its published version, and the SQL views."""

    def __init__(self, storage: Storage) -> None:
        """Open the warehouse.

        Raises:
            InputError: nothing is published in it, or DuckDB's Delta extension is not installed.
        """
        root = local_path(storage.paths.warehouse, "SQL without a JVM")
        if not storage.has_table("runs"):
            raise InputError(
                required=f"published tables in {root}",
                found="no table runs",
                do="run a job first, or set paths.warehouse to the warehouse that has them",
            )
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(f"LOAD '{delta_extension()}'")
        self._versions: dict[str, int] = {}
        self.tables = self._create_tables(storage)
        self.views = self._create_views()

    def _create_tables(self, storage: Storage) -> list[str]:
        self._create("runs", f"SELECT * FROM {storage.duckdb_scan('runs')}")
        versions = self._connection.execute(PUBLISHED).fetchall()
        for name, published in versions:
            found = standing_of_files(local_path(storage.table_uri(name)), name, published)
            self._versions[name] = found.version
            self._create(name, f"SELECT * FROM {storage.duckdb_scan(name, found.version)}")
        return sorted({"runs", *(name for name, _ in versions)})

    def _create_views(self) -> list[str]:
        views = VIEWS if set(READ_BY_VIEWS) <= set(self.tables) else OF_RUNS
        for name in views:
            self._create(name, view_sql(name))
        return list(views)

    def _create(self, name: str, select: str) -> None:
        try:
            self._connection.execute(f'CREATE VIEW "{name}" AS {select}')
        except duckdb.BinderException as error:
            raise InputError(
                required="tables with the columns of this version of loanbook",
                found=f"for {name}: {' '.join(str(error).split())}",
                do="an earlier version wrote them: begin a new warehouse from the tapes",
            ) from error

    def ask(self, query: str, values: Mapping[str, object] | None = None) -> Answer:
        """Return the answer to a query.

        Args:
            query: SQL; ``$name`` stands for a value.
            values: by name.

        Raises:
            InputError: DuckDB refuses it (the tables and views are named), or files of a table are gone.
        """
        try:
            result = self._connection.execute(query, dict(values) if values else None)
            columns = [str(item[0]) for item in result.description or []]
            return Answer(columns, result.fetchall() if columns else [])
        except duckdb.IOException as error:
            raise self._unreadable(error) from error
        except duckdb.Error as error:
            raise refusal(str(error), self.tables, self.views) from error

    def statements(self, text: str) -> list[str]:
        """Return the statements of a text.

        A text that cannot be read comes back whole: asking it then says why.
        """
        try:
            return [statement.query.strip() for statement in self._connection.extract_statements(text)]
        except duckdb.Error:
            return [text]

    def _unreadable(self, error: duckdb.IOException) -> InputError:
        text = " ".join(str(error).split())
        for name, version in self._versions.items():
            if f"/{name}/" in text:
                return gone(name, version, text)
        return InputError(
            required="tables whose files can be read", found=text, do="see whether the folder is there"
        )


def delta_extension() -> str:
    """Return the path of DuckDB's Delta extension in its installed package: loading it needs no network.

    Raises:
        InputError: the package is not installed, or is of another DuckDB.
    """
    try:
        package = files("duckdb_extension_delta")
    except ModuleNotFoundError:
        package = None
    file = package and package / "extensions" / f"v{duckdb.__version__}" / "delta.duckdb_extension"
    if not file or not file.is_file():
        raise InputError(
            required=f"the package duckdb-extension-delta of DuckDB {duckdb.__version__}",
            found="none" if package is None else "that of another version",
            do="install the extra 'sql' with the constraints file",
        )
    return str(file)
