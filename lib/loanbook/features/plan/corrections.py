"""Which loans' earlier months are not as the last run of build-features read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import last_day
from loanbook.features.plan.tape import Tape
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse.changes import changed_rows

KEY = ["loan_id", "as_of_date"]
GONE = "FILE_NOT_EXIST"  # what Spark says of a file that VACUUM removed
# Who delivered a row and when is not among what features read.
REPORT_COLUMNS = PERFORMANCE.read_by("features")
TERM_COLUMNS = tuple(
    name for name in LOANS.column_names if name not in (*LOANS.key, *LOANS.filled_by("delivery"))
)


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


@dataclass(frozen=True)
class Before:
    """A source's rows as the last run read them; None of a table of which none is there that changed."""

    performance: DataFrame | None
    loans: DataFrame | None


def corrections(tape: Tape, loans: DataFrame, before: Before, built: int) -> Corrections | None:
    """Return what was corrected up to the month ``built``.

    None where files of the older versions are gone.

    Args:
        tape: the source's performance.
        loans: the source's terms.
        before: both as they were last read.
        built: number of the last month built.
    """
    try:
        terms = _changed_terms(before.loans, loans)
        changed = []
        if before.performance is not None:
            months = months_written(tape, built)
            changed.append(_changed_reports(before.performance, tape.performance, months))
        if terms is not None:
            until = F.col("as_of_date") <= F.lit(last_day(built))
            changed.append(tape.performance.where(until).join(terms, "loan_id", "left_semi").select(*KEY))
        if not changed:
            return Corrections()
        return _kept(reduce(DataFrame.unionByName, changed), terms is not None)
    except Py4JJavaError as error:
        if GONE not in str(error):
            raise
        return None


def months_written(tape: Tape, built: int) -> list[date]:
    """Return the months already built of which reports were written since the last run."""
    months = () if tape.since is None else tape.since.months or ()
    return sorted(month for month in months if month <= last_day(built))


def _kept(changed: DataFrame, terms_changed: bool) -> Corrections:
    loans = changed.groupBy("loan_id").agg(F.min("as_of_date").alias("first")).persist()
    found = loans.agg(F.count(F.lit(1)).alias("number"), F.min("first").alias("first")).collect()[0]
    if not found["number"]:
        loans.unpersist()
        return Corrections(terms_changed=terms_changed)
    return Corrections(loans, found["number"], found["first"], terms_changed)


def _changed_reports(before: DataFrame, now: DataFrame, months: Sequence[date]) -> DataFrame:
    """Return loan and month of the reports of ``months`` that changed."""
    of_months = [rows.where(F.col("as_of_date").isin(*months)) for rows in (before, now)]
    return changed_rows(of_months[0], of_months[1], KEY, REPORT_COLUMNS)


def _changed_terms(before: DataFrame | None, now: DataFrame) -> DataFrame | None:
    """Return the loans whose terms changed, None without any.

    New ones have no earlier month: ingest gives every loan of which it has a month a row.
    """
    if before is None:
        return None
    changed = changed_rows(before, now, ["loan_id"], TERM_COLUMNS, new_ones=False)
    return None if changed.isEmpty() else F.broadcast(changed)
