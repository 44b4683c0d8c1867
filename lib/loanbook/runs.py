"""A run of a job: what it reads and writes, and the ``runs`` row that publishes it."""

import json
import logging
import subprocess
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from loanbook import __version__
from loanbook.config import Settings
from loanbook.errors import InputError
from loanbook.session import build_session, named
from loanbook.storage import Storage
from loanbook.tables import base
from loanbook.tables.base import Table
from loanbook.tables.runs import RUNS
from loanbook.tables.worker_files import Receipt, commit

log = logging.getLogger(__name__)


@cache
def code_version() -> str:
    """Return the package's version, with the commit where it runs from a git checkout."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return __version__
    commit = subprocess.run(  # noqa: S603 - fixed arguments
        ["git", "-C", str(root), "describe", "--always", "--dirty"],  # noqa: S607 - the user's git
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return f"{__version__}+{commit.stdout.strip()}" if commit.returncode == 0 else __version__


class Run:
    """One run of one job.

    It reads the table versions that the last published runs name, records what it reads and writes, and
    publishes by appending its row to ``runs``. The Spark session is built when first needed.
    """

    def __init__(
        self, job: str, settings: Settings, as_of: date | None = None, source: str | None = None
    ) -> None:
        self.job = job
        self.settings = settings
        self.as_of = as_of
        self.source = source
        self.storage = Storage(settings.paths, settings.catalog)
        self.run_id = f"{job}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
        self.inputs: dict[str, int] = {}
        self.outputs: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.metrics: dict[str, float] = {}
        self.evidence: dict[str, Any] = {}  # of the row's details, and too long for the printed result
        self._started = time.time()

    @cached_property
    def spark(self) -> SparkSession:
        """Return the Spark session."""
        return build_session(self.settings.spark, f"loanbook {self.job}", self.settings.log_format)

    @cached_property
    def runs_before(self) -> DataFrame:
        """Return the rows of ``runs`` as they were when first asked for."""
        version = base.latest_version(self.spark, self.storage, RUNS)
        if version is None:
            return RUNS.empty(self.spark)
        return base.read(self.spark, self.storage, RUNS, version)

    @cached_property
    def published_runs(self) -> list[Row]:
        """Return the published runs as they ended, one after the other; ``details`` of this job's only."""
        before = self.runs_before  # first of all: a Column needs the session that this builds
        fields = "run_id job source status as_of_date inputs outputs model_name model_version"
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
        """Forget which versions are published, so that the next read sees what is published by then."""
        for name in ("runs_before", "published_runs", "published"):
            self.__dict__.pop(name, None)

    def count(self, name: str, rows: int) -> None:
        """Add rows to one of the run's counts."""
        self.counts[name] = self.counts.get(name, 0) + int(rows)

    def metric(self, name: str, value: float) -> None:
        """Record a figure of the run."""
        self.metrics[name] = float(value)

    def exists(self, table: Table) -> bool:
        """Return whether any run has published the table."""
        return table.name in self.published

    def read(self, table: Table, *, made_by: str) -> DataFrame:
        """Return the table at its published version.

        Raises:
            InputError: nothing is published; the message names the job that makes it.
        """
        if table.name not in self.published:
            raise InputError(
                required=f"a published table {table.name} in {self.settings.paths.warehouse}",
                found="none",
                do=f"run {made_by} first, or set paths.warehouse to the warehouse that has it",
            )
        self.inputs[table.name] = self.published[table.name]
        return base.read(self.spark, self.storage, table, self.published[table.name])

    def replace(self, table: Table, df: DataFrame, where: str) -> None:
        """Replace the rows that meet ``where`` in one commit; readers see it once the run is published."""
        with named(self.spark, f"{self.job}: write {table.name}"):
            version = base.replace(self.spark, self.storage, table, df, where, self._metadata())
        self.outputs[table.name] = version

    def append(self, table: Table, df: DataFrame) -> None:
        """Add rows in one commit; readers see it once the run is published."""
        with named(self.spark, f"{self.job}: write {table.name}"):
            version = base.append(self.spark, self.storage, table, df, self._metadata())
        self.outputs[table.name] = version

    def replace_by_files(self, table: Table, receipts: Sequence[Receipt], where: str, read: int) -> None:
        """Replace the source's rows that meet ``where``, of the partition only, by files of workers.

        Raises:
            LoanbookError: the table is no longer at the version ``read`` that it had before they wrote.
        """
        own = [receipt for receipt in receipts if receipt.table == table.name]
        uri = self.storage.table_uri(table.name)
        with named(self.spark, f"{self.job}: commit {table.name}"):
            version = commit(self.spark, uri, table, own, str(self.source), where, self._metadata(), read)
        self.outputs[table.name] = version

    def restore_unpublished(self, *tables: Table) -> dict[str, int | None]:
        """Undo what a run that never published left in ``tables``, which it writes in several commits.

        This run publishes what is there again, even if it does not write it. Writers of these tables must not
        overlap: schedule one at a time for a warehouse.

        Returns:
            the version of each table then; None: it is not there.
        """
        versions: dict[str, int | None] = {}
        for table in tables:
            latest = base.latest_version(self.spark, self.storage, table)
            published = self.published.get(table.name, 0)
            if latest is not None and latest > published:
                log.warning("%s: version %d was never published; back to %d", table.name, latest, published)
                base.restore(self.spark, self.storage, table, published)
                latest = base.latest_version(self.spark, self.storage, table)
                if latest is not None and table.name in self.published:
                    self.outputs[table.name] = latest
            versions[table.name] = latest
        return versions

    def only_source(self, table: Table, *, made_by: str) -> str:
        """Return the source to work on: the one asked for, else the only one in ``table``.

        Raises:
            InputError: it is not in the table, or there are several and none was named.
        """
        found = self.read(table, made_by=made_by).select("source").distinct().collect()
        return self.choose_source([row["source"] for row in found], table)

    def choose_source(self, found: Sequence[str], table: Table) -> str:
        """Return the source to work on, of those that were found in ``table``.

        Raises:
            InputError: as ``only_source`` does.
        """
        names = sorted(found)
        if self.source in names or (self.source is None and len(names) == 1):
            self.source = self.source or names[0]
            return self.source
        raise InputError(
            required="--source with one of the sources in the warehouse"
            if self.source is None
            else "a source in the warehouse",
            found=f"{self.source!r}, and these in {table.name}: {', '.join(names)}",
            do="name one of them with --source",
        )

    def _metadata(self) -> dict[str, object]:
        return {
            "run_id": self.run_id, "job": self.job, "code_version": code_version(),
            "settings_hash": self.settings.hash(), "inputs": self.inputs,
        }  # fmt: skip

    def finish(self, details: Mapping[str, Any], error: str | None = None) -> dict[str, Any]:
        """Append the run's row, if it used the warehouse or failed in Spark, and return its result."""
        finished = time.time()
        own = {
            "job": self.job,
            "run_id": self.run_id,
            "status": "failed" if error else "published",
            "seconds": round(finished - self._started, 2),
        }
        if self.inputs or self.outputs or (error and "spark" in self.__dict__):
            self._append_row(finished, details, error)
        return {**own, **self.counts, **details, **own}  # the run's own words win and stand first

    def _append_row(self, finished: float, details: Mapping[str, Any], error: str | None) -> None:
        row = {
            "run_id": self.run_id,
            "job": self.job,
            "source": self.source,
            "status": "failed" if error else "published",
            "started_at": datetime.fromtimestamp(self._started, UTC),
            "finished_at": datetime.fromtimestamp(finished, UTC),
            "seconds": finished - self._started,
            "as_of_date": self.as_of,
            "inputs": self.inputs,
            "outputs": {} if error else self.outputs,
            "counts": self.counts,
            "metrics": self.metrics,
            "model_name": details.get("model"),
            "model_version": details.get("model_version"),
            "details": json.dumps({**details, **self.evidence}, sort_keys=True, default=str),
            "code_version": code_version(),
            "settings_hash": self.settings.hash(),
            "error": error,
        }
        schema = RUNS.empty(self.spark).schema
        frame = self.spark.createDataFrame([tuple(row[name] for name in RUNS.column_names)], schema)
        with named(self.spark, f"{self.job}: publish"):
            base.append(self.spark, self.storage, RUNS, frame, self._metadata())
