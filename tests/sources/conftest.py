"""Runs of the ingest, each published, on one temporary warehouse."""

from collections.abc import Callable
from typing import Any

import pytest

from loanbook.sources.job import ingest_tapes
from loanbook.tables.base import Table
from tests.sources.tapes import table_rows

Ingest = Callable[..., dict[str, Any]]
Rows = Callable[[Table], list[dict[str, Any]]]


@pytest.fixture
def ingest(make_run: Callable[..., Any]) -> Ingest:
    """Return a function that ingests a tape as a run of its own and publishes it."""

    def do(
        source: str,
        *tapes: object,
        delivered_at: str | None = None,
        settings: tuple[str, ...] = (),
        **options: Any,
    ) -> dict[str, Any]:
        run = make_run("ingest_tapes", *settings, source=source)
        paths = [str(path) for path in tapes]
        return run.finish(ingest_tapes(run, tapes=paths, delivered_at=delivered_at, **options))

    return do


@pytest.fixture
def rows(make_run: Callable[..., Any]) -> Rows:
    """Return a function that reads a published table, in order of its key and without the run's id."""

    return lambda table: table_rows(make_run(), table)
