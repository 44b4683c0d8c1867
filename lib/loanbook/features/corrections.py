"""Which loans' earlier months are not as the last run of build-features read them."""

from py4j.protocol import Py4JJavaError
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.features.changes import changed_rows
from loanbook.features.months import last_day
from loanbook.features.tape import Since
from loanbook.runs import Run
from loanbook.tables import base
from loanbook.tables.base import Table
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE

GONE = "FILE_NOT_EXIST"  # what Spark says of a file that VACUUM removed
# What features read of a report; who delivered it and when is not among it.
REPORT_COLUMNS = (
    "state", "months_delinquent", "upb", "rate", "remaining_term", "modified", "payment", "statement",
    "credit_limit", "quality_flags", "default_status", "default_episode",
)  # fmt: skip
TERM_COLUMNS = tuple(
    name
    for name in LOANS.column_names
    if name not in ("source", "loan_id", "slice", "delivery", "line", "known_on")
)


def corrected_loans(run: Run, source: str, since: Since, built: int) -> tuple[DataFrame, bool] | None:
    """Return each loan's first corrected month, kept, and whether terms changed.

    None where files of the older versions, or the log, are gone.
    """
    try:
        terms = _changed_terms(run, source, since)
        corrections = _corrections(run, source, since, built, terms)
        if corrections is None:
            return None
        loans = corrections.groupBy("loan_id").agg(F.min("as_of_date").alias("first")).persist()
        loans.count()
    except Py4JJavaError as error:
        if GONE not in str(error):
            raise
        return None
    return loans, terms is not None


def _corrections(
    run: Run, source: str, since: Since, built: int, terms: DataFrame | None
) -> DataFrame | None:
    """Return loan and month of the reports of built months that changed; None where that cannot be told."""
    until = F.col("as_of_date") <= F.lit(last_day(built))
    versions = since.inputs[PERFORMANCE.name], run.inputs[PERFORMANCE.name]
    if since.months is None:
        return None
    written = sorted(month for month in since.months if month <= last_day(built))
    key = ["loan_id", "as_of_date"]
    whole = [_of_source(run, PERFORMANCE, version, source) for version in versions]
    before, now = (rows.where(F.col("as_of_date").isin(written)) for rows in whole)
    changed = changed_rows(before, now, key, REPORT_COLUMNS) if written else whole[1].select(*key).limit(0)
    if terms is None:
        return changed
    return changed.unionByName(whole[1].where(until).join(terms, "loan_id", "left_semi").select(*key))


def _changed_terms(run: Run, source: str, since: Since) -> DataFrame | None:
    """Return the loans whose terms changed, None without any; new ones have no earlier month."""
    versions = since.inputs[LOANS.name], run.published[LOANS.name]
    if versions[0] == versions[1]:
        return None
    before, now = (_of_source(run, LOANS, version, source) for version in versions)
    changed = changed_rows(before, now, ["loan_id"], TERM_COLUMNS).join(before, "loan_id", "left_semi")
    return None if changed.isEmpty() else F.broadcast(changed)


def _of_source(run: Run, table: Table, version: int, source: str) -> DataFrame:
    return base.read(run.spark, run.storage, table, version).where(F.col("source") == source)
