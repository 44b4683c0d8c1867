"""A delivery judged: every line has its fate, before anything is written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial, reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from loanbook.quality.history_checks import severities
from loanbook.sources.canonical.canonical import canonical_loans, canonical_performance
from loanbook.sources.canonical.fields import read_fields, unfilled
from loanbook.sources.canonical.frames import Keep
from loanbook.sources.canonical.line_fates import with_loan_fate, with_performance_fate
from loanbook.sources.canonical.loans import first_months
from loanbook.sources.canonical.lookups import empty_with_lookups, judged_lookup, with_lookups
from loanbook.sources.landing.landing import Landed
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.publishing.replaced import Replaced
from loanbook.sources.publishing.stored import STORED, Others, StoredTables, days_of_terms, others_of
from loanbook.warehouse.session import named


@dataclass(frozen=True)
class Judged:
    """A delivery whose every line has a fate.

    Args:
        replaced: what the delivery replaces whole.
        months: lines of performance (``is_new``) and, of the same loans, what was read before of them, with
            the fate that it had (``was``).
        loans: lines of loans, None where the delivery has none.
        tables: what was published of the source before.
        others: the source's stored rows beside the delivery, None where there are none.
        loan_ids: the loans whose months these are, None where there are no others.
        lookups: name to lines of the files that others are joined with.
    """

    mapping: TapeMapping
    files: Sequence[Landed]
    replaced: Replaced
    months: DataFrame
    loans: DataFrame | None
    tables: StoredTables
    others: Others | None
    loan_ids: DataFrame | None
    lookups: Mapping[str, DataFrame]

    @property
    def slices(self) -> list[str]:
        """Return the slices that are delivered."""
        return sorted({file.slice for file in self.files})

    @property
    def published(self) -> DataFrame:
        """Return the lines of performance that stay, of this delivery and of others."""
        return self.months.where(F.col("fate") == "published")

    @property
    def lines(self) -> DataFrame:
        """Return the delivered lines of every file with their fate, and whether it is ``of_row``.

        It is not of terms made from a line of performance, whose row has a fate of its own.
        """
        columns = ("source", "slice", "delivery", "line", "text", "reasons", "fate")
        frames = [(frame, True) for frame in (self.months.where("is_new"), *self.lookups.values())]
        if self.loans is not None:
            frames.append((self.loans, self.mapping.derived_terms is None))
        of = [frame.select(*columns, F.lit(of_row).alias("of_row")) for frame, of_row in frames]
        return reduce(DataFrame.unionByName, of)

    @property
    def delivered_terms(self) -> DataFrame | None:
        """Return the lines of the tape's loans files, None where it has none."""
        return None if self.mapping.derived_terms is not None else self.loans

    def files_of(self, kind: str) -> list[Landed]:
        """Return the files of one kind."""
        return [file for file in self.files if file.spec.kind == kind]


def judge(
    spark: SparkSession,
    mapping: TapeMapping,
    files: Sequence[Landed],
    replaced: Replaced,
    tables: StoredTables,
    keep: Keep,
) -> Judged:
    """Read a delivery's files and give each line its fate.

    Args:
        spark: the session.
        mapping: of the tape.
        files: of the delivery.
        replaced: what it replaces.
        tables: what is published of the source.
        keep: see frames.py.
    """
    lookups = {
        spec.what: keep(judged_lookup(read_fields(spark, of_spec), spec), f"lookup_{spec.what}")
        for spec in mapping.files
        if spec.kind == "lookup" and (of_spec := [file for file in files if file.spec is spec])
    }
    lines = _lines_of_performance(spark, mapping, files, lookups)
    others = others_of(replaced, tables)
    loan_ids = None
    if others is not None:
        lines = keep(lines, "lines")  # read twice: for the loans that it names, and for their history
        loan_ids = keep(others.loans(lines), "loan_ids")
        lines = lines.unionByName(others.months(loan_ids), allowMissingColumns=True)
    checks = severities(mapping.product, mapping.history_checks)
    with named(spark, "ingest_tapes: read performance and judge each line"):
        months = keep(with_performance_fate(lines, checks, mapping.period_months), "months")
    judged = Judged(mapping, files, replaced, months, None, tables, others, loan_ids, lookups)
    if mapping.loans is None:
        return judged
    with named(spark, "ingest_tapes: read loans and judge each line"):
        terms = _first_terms(spark, judged) if mapping.derived_terms is not None else _terms(spark, judged)
        return judged if terms is None else replace(judged, loans=keep(terms, "loans"))


def _lines_of_performance(
    spark: SparkSession, mapping: TapeMapping, files: Sequence[Landed], lookups: Mapping[str, DataFrame]
) -> DataFrame:
    """Return the delivered lines, without any row where no file of performance is delivered."""
    if performance := [file for file in files if file.spec.kind == "performance"]:
        lines = _read(spark, performance, partial(canonical_performance, mapping=mapping), lookups)
    else:
        spec = next(spec for spec in mapping.files if spec.kind == "performance")
        none = unfilled(empty_with_lookups(spark, spec, mapping.files))
        lines = canonical_performance(none, mapping)
    not_before = {"stored": F.lit(None).cast(STORED), "was": F.lit(None).cast("string")}
    return lines.withColumns({"is_new": F.lit(True), **not_before})


def _terms(spark: SparkSession, judged: Judged) -> DataFrame | None:
    """Return the lines of the delivered loans files with their fate, None without such a file."""
    mapping, files = judged.mapping, judged.files_of("loans")
    if mapping.loans is None or not files:
        return None
    read = _read(spark, files, partial(canonical_loans, mapping=mapping), judged.lookups)
    in_book = judged.published.select("loan_id")
    if judged.others is not None:
        in_book = in_book.union(judged.others.performance.select("loan_id"))
    of = in_book if mapping.loans.without_performance == "set_aside" else None
    days = days_of_terms(judged.replaced, judged.tables)
    severity = severities(mapping.product, mapping.history_checks)["conflicting_rows"]
    return with_loan_fate(read, of, days, severity)


def _first_terms(spark: SparkSession, judged: Judged) -> DataFrame:
    """Return the terms of loans whose first month is in this delivery, from the line of that month.

    A line whose terms fail a check is in quarantine for its terms alone: its month is published.
    """
    first = first_months(judged.published, "is_new").where("is_new").select("loan_id", "delivery", "line")
    lines = first.select(F.col("delivery").alias("_delivery"), F.col("line").alias("_line"))
    files, canonical = judged.files_of("performance"), partial(canonical_loans, mapping=judged.mapping)
    read = _read(spark, files, canonical, judged.lookups, lines)
    return read.join(first, ["loan_id", "delivery", "line"], "left_semi").transform(with_loan_fate)


def _read(
    spark: SparkSession,
    files: Sequence[Landed],
    canonical: Callable[[DataFrame], DataFrame],
    lookups: Mapping[str, DataFrame],
    lines: DataFrame | None = None,
) -> DataFrame:
    specs = {id(file.spec): file.spec for file in files}.values()
    frames = []
    for spec in specs:
        fields = read_fields(spark, [file for file in files if file.spec is spec])
        if lines is not None:
            fields = fields.join(lines, ["_delivery", "_line"], "left_semi")
        frames.append(canonical(with_lookups(fields, spec, lookups)))
    return reduce(DataFrame.unionByName, frames)


def balances(spark: SparkSession, mapping: TapeMapping, files: Sequence[Landed]) -> dict[str, Decimal | None]:
    """Return the total balance of each file that is recorded only; of files that are joined nothing."""
    found: dict[str, Decimal | None] = {}
    for kind, canonical, column in (
        ("performance", canonical_performance, "upb"), ("loans", canonical_loans, "original_upb"),
    ):  # fmt: skip
        if of_kind := [file for file in files if file.spec.kind == kind and not file.spec.joins]:
            lines = _read(spark, of_kind, partial(canonical, mapping=mapping), {})
            found |= dict(lines.groupBy("delivery").agg(F.sum(column)).collect())
    return found
