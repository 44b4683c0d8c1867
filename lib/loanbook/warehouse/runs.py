"""A run of a job: what it reads and writes, and the ``runs`` row that publishes it."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from loanbook.code_version import code_version
from loanbook.errors import InputError
from loanbook.settings.settings import Settings
from loanbook.tables.base import Table
from loanbook.tables.runs import RUNS
from loanbook.warehouse import delta
from loanbook.warehouse.session import named
from loanbook.warehouse.writing import Writer


class Run(Writer):
    """One run of one job.

    It reads the table versions that the last published runs name, records what it reads and writes, and
    publishes by appending its row to ``runs``.
    """

    def __init__(
        self, job: str, settings: Settings, as_of: date | None = None, source: str | None = None
    ) -> None:
        super().__init__(job, settings, source)
        self.as_of = as_of
        self.counts: dict[str, int] = {}
        self.metrics: dict[str, float] = {}
        self.evidence: dict[str, Any] = {}  # of the row's details, and too long for the printed result
        self._started = time.time()
        self._recorded = False

    def count(self, name: str, rows: int) -> None:
        """Add rows to one of the run's counts."""
        self.counts[name] = self.counts.get(name, 0) + int(rows)

    def metric(self, name: str, value: float) -> None:
        """Record a figure of the run."""
        self.metrics[name] = float(value)

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
        """Append the run's row, if it used the warehouse or failed in Spark, and let other runs write.

        Raises:
            LoanbookError: another run has written the same tables since; nothing is published.
        """
        if not error:
            self.require_unmoved()
        finished = time.time()
        own = {
            "job": self.job,
            "run_id": self.run_id,
            "status": "failed" if error else "published",
            "seconds": round(finished - self._started, 2),
        }
        if self.inputs or self.outputs or (error and "spark" in self.__dict__):
            if not self._recorded:  # what interrupts a run after its row does not unpublish it
                self._append_row(finished, details, error)
            self._recorded = True
        self.release()
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
            "model_role": details.get("model_role"),
            "scenario": details.get("scenario"),
            "details": json.dumps({**details, **self.evidence}, sort_keys=True, default=str),
            "code_version": code_version(),
            "settings_hash": self.settings.hash(),
            "error": error,
        }
        schema = RUNS.schema
        frame = self.spark.createDataFrame([tuple(row[name] for name in RUNS.column_names)], schema)
        with named(self.spark, f"{self.job}: publish"):
            delta.append(self.spark, self.storage, RUNS, frame, self._metadata())
