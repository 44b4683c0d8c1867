"""The published tables that an auditor asks about, opened without a JVM."""

import argparse

from loanbook.errors import InputError
from loanbook.settings.settings import load_settings
from loanbook.sql.duckdb import Warehouse
from loanbook.warehouse.storage import Storage

SOURCES = "SELECT DISTINCT source FROM deliveries ORDER BY source"


def opened(options: argparse.Namespace) -> Warehouse:
    """Return the warehouse of ``options``, which has deliveries, and any of ``options.source``.

    Raises:
        InputError: bad settings, nothing is ingested, or nothing of that source.
    """
    settings = load_settings(options.profile, options.set)
    warehouse = Warehouse(Storage(settings.paths, settings.catalog))
    if "deliveries" not in warehouse.tables:
        raise InputError(
            required=f"a published table deliveries in {settings.paths.warehouse}",
            found=f"only {', '.join(warehouse.tables)}",
            do="run ingest-tapes first, or set paths.warehouse to the warehouse that has it",
        )
    names = [source for (source,) in warehouse.ask(SOURCES).rows]
    if options.source not in (None, *names):
        raise InputError(
            required=f"a source in the warehouse: one of {', '.join(names)}",
            found=repr(options.source),
            do="name one of them, or leave --source out",
        )
    return warehouse
