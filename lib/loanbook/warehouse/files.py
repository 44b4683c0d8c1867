"""Whether the files of a table are there, told before a job meets one that is not."""

from pathlib import Path
from urllib.parse import unquote, urlparse

from pyspark.sql import SparkSession

from loanbook.errors import InputError
from loanbook.tables.base import Table
from loanbook.warehouse import delta
from loanbook.warehouse.storage import Storage


def require_files(spark: SparkSession, storage: Storage, table: Table) -> None:
    """Check that a local table has the files of its last version.

    Raises:
        InputError: some are not there.
    """
    version = delta.latest_version(spark, storage, table)
    if version is None or storage.table_folder(table.name) is None:
        return
    files = delta.read(spark, storage, table, version).inputFiles()
    missing = [file for file in files if not Path(unquote(urlparse(file).path)).exists()]
    if missing:
        raise InputError(
            required=f"the files of the table {table.name} at version {version}",
            found=f"{len(missing)} of {len(files)} are not there, such as {missing[0]}",
            do="restore the table's folder from a copy, or move it away and run the job that makes it again",
        )
