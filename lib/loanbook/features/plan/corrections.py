"""Which loans' earlier months are not as the last run of build-features read them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import reduce

from py4j.protocol import Py4JJavaError
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import last_day
from loanbook.features.plan.tape import Since
from loanbook.tables.base import Table
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import ATTRIBUTES, PERFORMANCE
from loanbook.warehouse import delta
from loanbook.warehouse.changes import changed_rows
from loanbook.warehouse.commits import changed_files
from loanbook.warehouse.runs import Run

KEY = ["loan_id", "as_of_date"]
GONE = "FILE_NOT_EXIST"  # what Spark says of a file that VACUUM removed
# What features read of a report; who delivered it and when is not among it.
REPORT_COLUMNS = (
    "state", "months_delinquent", "upb", "rate", "remaining_term", "modified", "payment", "statement",
    "credit_limit", "quality_flags", "default_status", "default_episode", *ATTRIBUTES,
)  # fmt: skip
TERM_COLUMNS = tuple(
    name
    for name in LOANS.column_names
    if name not in ("source", "loan_id", "slice", "delivery", "line", "known_on")
)


class _NotKept(Exception):
    """A version of a table that its log no longer has."""


@dataclass(frozen=True)
class Corrections:
    """What was corrected in months already built.

    Args:
        loans: ``loan_id`` of the loans whose earlier months changed, kept; None without any.
        number: how many they are.
        first: the first month that changed.
        terms_changed: whether some loan's terms changed.
    """

    loans: DataFrame | None = None
    number: int = 0
    first: date | None = None
    terms_changed: bool = False


def corrections(run: Run, source: str, since: Since, built: int) -> Corrections | None:
    """Return what was corrected up to the month ``built``.

    None where files of the older versions, or the log, are gone.
    """
    if since.months is None:
        return None
    try:
        terms = _changed_terms(run, source, since)
        changed = [*_changed_reports(run, source, since, built)]
        if terms is not None:
            changed.append(_reports(run, source, built).join(terms, "loan_id", "left_semi").select(*KEY))
        if not changed:
            return Corrections()
        return _kept(reduce(DataFrame.unionByName, changed), terms is not None)
    except _NotKept:
        return None
    except Py4JJavaError as error:
        if GONE not in str(error):
            raise
        return None


def _kept(changed: DataFrame, terms_changed: bool) -> Corrections:
    loans = changed.groupBy("loan_id").agg(F.min("as_of_date").alias("first")).persist()
    found = loans.agg(F.count(F.lit(1)).alias("number"), F.min("first").alias("first")).collect()[0]
    if not found["number"]:
        loans.unpersist()
        return Corrections(terms_changed=terms_changed)
    return Corrections(loans, found["number"], found["first"], terms_changed)


def _changed_reports(run: Run, source: str, since: Since, built: int) -> Iterator[DataFrame]:
    """Yield loan and month of the reports that changed in months already built, where any were written."""
    written = sorted(month for month in since.months or () if month <= last_day(built))
    if written:
        before, now = (
            rows.where(F.col("as_of_date").isin(written))
            for rows in (
                _before(run, PERFORMANCE, since, source),
                _of_source(run, PERFORMANCE, run.inputs[PERFORMANCE.name], source),
            )
        )
        yield changed_rows(before, now, KEY, REPORT_COLUMNS)


def _reports(run: Run, source: str, built: int) -> DataFrame:
    until = F.col("as_of_date") <= F.lit(last_day(built))
    return _of_source(run, PERFORMANCE, run.inputs[PERFORMANCE.name], source).where(until)


def _changed_terms(run: Run, source: str, since: Since) -> DataFrame | None:
    """Return the loans whose terms changed, None without any.

    New ones have no earlier month: ingest gives every loan of which it has a month a row.
    """
    last, version = since.inputs[LOANS.name], run.inputs[LOANS.name]
    files = changed_files(run.spark, run.storage, LOANS, last, version)
    if files is not None and not files.went:
        return None
    before, now = _before(run, LOANS, since, source), _of_source(run, LOANS, version, source)
    changed = changed_rows(before, now, ["loan_id"], TERM_COLUMNS, new_ones=False)
    return None if changed.isEmpty() else F.broadcast(changed)


def _before(run: Run, table: Table, since: Since, source: str) -> DataFrame:
    """Return the rows of the version last read.

    Raises:
        _NotKept: the log no longer has it.
    """
    try:
        return _of_source(run, table, since.inputs[table.name], source)
    except AnalysisException as error:
        if "time travel" not in str(error):
            raise
        raise _NotKept from error


def _of_source(run: Run, table: Table, version: int, source: str) -> DataFrame:
    return delta.read(run.spark, run.storage, table, version).where(F.col("source") == source)
