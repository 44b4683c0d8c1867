"""Reading what is published: the table versions that the last published runs name, and nothing later."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.settings.settings import Settings
from loanbook.tables.base import Table
from loanbook.tables.runs import RUNS
from loanbook.warehouse import delta
from loanbook.warehouse.commits import commits_by_spark
from loanbook.warehouse.session import build_session
from loanbook.warehouse.storage import Storage
from loanbook.warehouse.visible_version import Commit, Standing, commit_of, gone, named_foreign, standing


class Reader:
    """A job that reads published tables and records their versions in ``inputs``.

    The Spark session is built when first needed.
    """

    def __init__(self, job: str, settings: Settings) -> None:
        self.job = job
        self.settings = settings
        self.storage = Storage(settings.paths, settings.catalog)
        self.run_id = f"{job}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        self.inputs: dict[str, int] = {}
        self._runs_version: int | None = None
        self._standings: dict[str, Standing] = {}

    @cached_property
    def spark(self) -> SparkSession:
        """Return the Spark session."""
        name, folders = f"loanbook {self.job}", self.storage.local_folders()
        return build_session(self.settings.spark, name, self.settings.log_format, folders)

    @cached_property
    def runs_before(self) -> DataFrame:
        """Return the rows of ``runs`` as they were when first asked for.

        Raises:
            InputError: another version of the package made the warehouse.
        """
        self._runs_version = delta.latest_version(self.spark, self.storage, RUNS)
        if self._runs_version is None:
            return RUNS.empty(self.spark)
        rows = delta.read(self.spark, self.storage, RUNS, self._runs_version)
        delta.require_columns(RUNS, rows.schema)
        return rows

    @cached_property
    def published_runs(self) -> list[Row]:
        """Return the published runs as they ended, one after the other; ``details`` of this job's only."""
        before = self.runs_before  # first of all: a Column needs the session that this builds
        if self._runs_version is None:
            return []
        fields = (
            "run_id job source status as_of_date inputs outputs model_name model_version model_role scenario"
        )
        details = F.when(F.col("job") == self.job, F.col("details")).alias("details")
        finished = F.unix_micros("finished_at").alias("finished")  # Python's times repeat an hour in autumn
        # No filter in Spark: it makes Delta read the statistics of every file first.
        rows = before.select(*fields.split(), details, finished).collect()
        return sorted(
            (row for row in rows if row["status"] == "published"),
            key=lambda row: (row["finished"], row["run_id"]),
        )

    @cached_property
    def published(self) -> dict[str, int]:
        """Return the greatest version of each table that a published run names."""
        versions: dict[str, int] = {}
        for row in self.published_runs:
            versions |= {name: max(of, versions.get(name, 0)) for name, of in row["outputs"].items()}
        return versions

    def read_anew(self) -> None:
        """Forget what is published if a run ended since, so that the next read sees what it published."""
        self._standings.clear()
        if delta.latest_version(self.spark, self.storage, RUNS) == self._runs_version:
            return
        for name in ("runs_before", "published_runs", "published"):
            self.__dict__.pop(name, None)

    def standing(self, table: Table) -> Standing:
        """Return how the table, which exists, stands; asked of its log once."""
        if table.name not in self._standings:
            commits = self._commits(table, self.published.get(table.name, 0))
            found = standing(table.name, self.published.get(table.name, 0), commits)
            self._standings[table.name] = named_foreign(table.name, found)
        return self._standings[table.name]

    def _commits(self, table: Table, after: int) -> Iterator[Commit]:
        for version, actions in commits_by_spark(self.spark, self.storage, table, after):
            yield commit_of(version, actions)

    def exists(self, table: Table) -> bool:
        """Return whether any run has published the table."""
        return table.name in self.published

    def require(self, table: Table, *, made_by: str) -> None:
        """Check that a table is published.

        Raises:
            InputError: it is not; the message names the job that makes it.
        """
        if not self.exists(table):
            raise InputError(
                required=f"a published table {table.name} in {self.settings.paths.warehouse}",
                found="none",
                do=f"run {made_by} first, or set paths.warehouse to the warehouse that has it",
            )

    def read(self, table: Table, *, made_by: str) -> DataFrame:
        """Return the table at its published version.

        Raises:
            InputError: nothing is published, or that version is no longer kept.
        """
        self.require(table, made_by=made_by)
        return self._read(table)

    def _read(self, table: Table) -> DataFrame:
        version = self.inputs[table.name] = self.standing(table).version
        try:
            return delta.read(self.spark, self.storage, table, version)
        except AnalysisException as error:
            if "time travel" not in str(error):
                raise
            raise gone(table.name, version, "its log no longer has that version") from error

    def read_source(self, table: Table, source: str) -> DataFrame | None:
        """Return what is published of a source, None where no run has published the table.

        Raises:
            InputError: the published version is no longer kept.
        """
        return self._read(table).where(F.col("source") == source) if self.exists(table) else None
