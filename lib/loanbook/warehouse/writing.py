"""Writing tables that runs share: one writer at a time, on top of what is published and nothing else."""

import logging
import weakref
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from loanbook.errors import LoanbookError
from loanbook.settings.settings import Settings
from loanbook.tables.base import Table
from loanbook.warehouse import delta
from loanbook.warehouse.conflicts import committed
from loanbook.warehouse.files import require_files
from loanbook.warehouse.lease import Lease
from loanbook.warehouse.reading import Reader
from loanbook.warehouse.session import named
from loanbook.warehouse.visible_version import gone, require_own, require_settled
from loanbook.warehouse.worker_files import Receipt, commit

log = logging.getLogger(__name__)

NOT_ALL_FILES = "Not all files from version"  # what Delta says where VACUUM has removed some


class Writer(Reader, ABC):
    """A job that writes tables, whose commits readers see once its run is published.

    Before its first commit to a table it holds the table's lease and undoes what a run that never published
    left there; so what follows a published version is of one run at most.
    """

    def __init__(self, job: str, settings: Settings, source: str | None) -> None:
        super().__init__(job, settings)
        self.source = source
        self.outputs: dict[str, int] = {}
        self._written: dict[str, Table] = {}
        self._heads: dict[str, int] = {}  # of tables ready to be written: the version to go on from
        self._leases: dict[str, Lease] = {}

    @abstractmethod
    def _metadata(self) -> Mapping[str, object]:
        """Return the lineage that every commit carries, ``run_id`` among it."""

    def hold(self, *tables: Table) -> None:
        """Become the only writer of the tables, in which no other program has changed rows.

        A job whose new rows follow from those that are published holds their tables before it reads them.

        Raises:
            InputError: the warehouse cannot be written, or another program has changed a table.
            LoanbookError: the other run did not end in ``writers.wait_seconds``.
        """
        self.acquire(*tables)
        for table in tables:
            if self.exists(table):
                require_settled(table.name, self.standing(table))

    def acquire(self, *tables: Table) -> None:
        """Take the leases of tables until the run ends; wait while another run has them.

        Raises:
            InputError: the warehouse cannot be written.
            LoanbookError: the other run did not end in ``writers.wait_seconds``.
        """
        wanted = sorted({table.lease_name for table in tables} - set(self._leases))
        for name in wanted:  # in one order, so that no two runs wait for each other
            folder = self.storage.lease_folder(name)
            if folder is not None:
                lease = Lease(folder, self.run_id)
                lease.acquire(self.settings.writers.wait_seconds, self.settings.writers.dead_after_seconds)
                weakref.finalize(self, lease.release)
                self._leases[name] = lease
        if wanted:
            self.read_anew()

    def release(self) -> None:
        """Let other runs write; safe to call again."""
        while self._leases:
            self._leases.popitem()[1].release()

    def replace(self, table: Table, df: DataFrame | None, where: str) -> None:
        """Replace the rows that meet ``where`` in one commit; readers see it once the run is published.

        None instead of a frame is no rows: of a table that has none either, nothing is committed.
        """
        self.prepare(table)
        if df is None:
            made = delta.create(self.spark, self.storage, table)
            if made or delta.is_empty(self.spark, self.storage, table):
                self._committed(table, delta.latest_version(self.spark, self.storage, table) or 0)
                return
        rows = table.empty(self.spark) if df is None else df
        with named(self.spark, f"{self.job}: write {table.name}"):
            version = committed(
                lambda: delta.replace(self.spark, self.storage, table, rows, where, self._metadata())
            )
        self._committed(table, version)

    def append(self, table: Table, df: DataFrame) -> None:
        """Add rows in one commit; readers see it once the run is published."""
        self.prepare(table)
        with named(self.spark, f"{self.job}: write {table.name}"):
            version = committed(lambda: delta.append(self.spark, self.storage, table, df, self._metadata()))
        self._committed(table, version)

    def replace_by_files(self, table: Table, receipts: Sequence[Receipt], where: str) -> None:
        """Replace the source's rows that meet ``where``, of the partition only, by files of workers."""
        self.prepare(table)
        own = [receipt for receipt in receipts if receipt.table == table.name]
        uri = self.storage.table_uri(table.name)
        with named(self.spark, f"{self.job}: commit {table.name}"):
            version = committed(
                lambda: commit(self.spark, uri, table, own, str(self.source), where, self._metadata())
            )
        self._committed(table, version)

    def publish_as_it_stands(self, table: Table) -> None:
        """Let the run publish the table's last version, whoever wrote it.

        Raises:
            InputError: files of it are gone.
        """
        self.acquire(table)
        require_files(self.spark, self.storage, table)
        self._heads[table.name] = delta.latest_version(self.spark, self.storage, table) or 0
        self._committed(table, self._heads[table.name])

    def publish_restored(self, table: Table) -> None:
        """Let the run publish the table as it was last published, undoing all commits since."""
        self.acquire(table)
        self._heads[table.name] = self._undone(table)
        self._committed(table, self._heads[table.name])

    def prepare(self, *tables: Table) -> None:
        """Make tables ready to be written: hold them, and undo what a run that never published left there.

        Raises:
            InputError: another program has changed one; its commits are named.
        """
        fresh = [table for table in tables if table.name not in self._heads]
        self.hold(*fresh)
        for table in fresh:
            latest = delta.latest_version(self.spark, self.storage, table)
            self._heads[table.name] = -1 if latest is None else self._restored(table)

    def _restored(self, table: Table) -> int:
        """Return the version of a table that holds what is published and no more, made if need be."""
        found = self.standing(table)
        require_settled(table.name, found)
        if not found.unpublished:
            return found.latest
        return self._undone(table)

    def _undone(self, table: Table) -> int:
        found = self.standing(table)
        log.warning(
            "%s: back to version %d; never published: %s",
            table.name, found.version, ", ".join(map(str, found.unpublished)),
        )  # fmt: skip
        try:
            delta.restore(self.spark, self.storage, table, found.version, self._metadata())
        except Exception as error:
            if NOT_ALL_FILES not in str(error):
                raise
            raise gone(table.name, found.version, "files of it are not there") from error
        return delta.latest_version(self.spark, self.storage, table) or 0

    def _committed(self, table: Table, version: int) -> None:
        """Note a commit; refuse to go on where another one came between it and what the run went on from."""
        if version > self._heads[table.name]:
            require_own(table.name, self.run_id, self._commits(table, self._heads[table.name]))
        self._heads[table.name] = self.outputs[table.name] = version
        self._written[table.name] = table

    def require_unmoved(self) -> None:
        """Check, before it is published, that what the run wrote is what the tables hold.

        Raises:
            LoanbookError: another run took over a lease of this one, or changed rows of its tables.
        """
        if lost := [name for name, lease in self._leases.items() if not lease.is_held()]:
            raise LoanbookError(
                f"another run took over the lease of {', '.join(lost)}, as this one had shown no life for "
                f"{self.settings.writers.dead_after_seconds:g} s; nothing was published, run this job again"
            )
        for table in self._written.values():
            require_own(table.name, self.run_id, self._commits(table, self._heads[table.name]))
