"""A delivery judged: every line has its fate, before anything is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.quality.reconcile import Tally, assert_few_rejected, assert_layout, tallies
from loanbook.runs import Run
from loanbook.session import named
from loanbook.sources.canonical import canonical_loans, canonical_performance
from loanbook.sources.fields import read_fields, required_fields
from loanbook.sources.frames import Keep
from loanbook.sources.history import with_loan_fate, with_performance_fate
from loanbook.sources.landing import Landed
from loanbook.sources.mapping import TapeMapping
from loanbook.sources.quarantined import frequent_reasons
from loanbook.sources.stored import STORED, Others, others_of


@dataclass(frozen=True)
class Judged:
    """A delivery whose every line has a fate.

    Args:
        months: lines of performance (``is_new``) and, of the same loans, what other slices hold of them.
        loans: lines of loans, None where the tape has no loans file.
        others: the source's other slices, None where there are none.
        loan_ids: the loans whose months these are, None where there are no other slices.
    """

    mapping: TapeMapping
    files: Sequence[Landed]
    months: DataFrame
    loans: DataFrame | None
    others: Others | None
    loan_ids: DataFrame | None

    @property
    def slices(self) -> list[str]:
        """Return the slices that are delivered."""
        return sorted({file.slice for file in self.files})

    @property
    def lines(self) -> DataFrame:
        """Return the delivered lines of every file with their fate."""
        columns = ("source", "slice", "delivery", "line", "text", "reasons", "fate")
        months = self.months.where("is_new").select(*columns)
        return months if self.loans is None else months.unionByName(self.loans.select(*columns))

    def files_of(self, kind: str) -> list[Landed]:
        """Return the files of one kind."""
        return [file for file in self.files if file.spec.kind == kind]


def judge(run: Run, mapping: TapeMapping, files: Sequence[Landed], keep: Keep) -> Judged:
    """Read a delivery's files and give each line its fate."""
    performance = [file for file in files if file.spec.kind == "performance"]
    terms = [file for file in files if file.spec.kind == "loans"]
    lines = _read(run, performance, lambda fields: canonical_performance(fields, mapping))
    lines = lines.withColumn("is_new", F.lit(True)).withColumn("stored", F.lit(None).cast(STORED))
    others = others_of(run, mapping.name, sorted({file.slice for file in files}))
    loan_ids = None
    if others is not None:
        lines = keep(lines, "lines")  # read twice: for the loans that it names, and for their history
        loan_ids = keep(others.loans(lines), "loan_ids")
        lines = lines.unionByName(others.months(loan_ids), allowMissingColumns=True)
    with named(run.spark, f"{run.job}: read performance and judge each line"):
        months = keep(with_performance_fate(lines), "months")
    loans = None
    if mapping.loans is not None:
        in_book = months.where(F.col("fate") == "published")
        read = _read(run, terms, lambda fields: canonical_loans(fields, mapping))
        sets_aside = mapping.loans.without_performance == "set_aside"
        with named(run.spark, f"{run.job}: read loans and judge each line"):
            loans = keep(with_loan_fate(read, in_book if sets_aside else None), "loans")
    return Judged(mapping, files, months, loans, others, loan_ids)


def _read(run: Run, files: Sequence[Landed], canonical: Callable[[DataFrame], DataFrame]) -> DataFrame:
    frames = [
        canonical(read_fields(run.spark, [file for file in files if file.spec is spec]))
        for spec in {id(file.spec): file.spec for file in files}.values()
    ]
    whole = frames[0]
    for frame in frames[1:]:
        whole = whole.unionByName(frame)
    return whole


def accounted(run: Run, judged: Judged) -> dict[str, Tally]:
    """Return the tally of each delivered file.

    Raises:
        InputError: a file has another layout throughout.
        GateRefused: too many lines of a delivery were rejected.
    """
    new = judged.months.where("is_new")
    with named(run.spark, f"{run.job}: count lines by fate"):
        counted = tallies(new)
        if judged.loans is not None:
            counted |= tallies(judged.loans)
    for file in judged.files:
        assert_layout(file.name, required_fields(file), file.delimiter, counted[file.delivery])
    limit = run.settings.ingest.max_quarantined_share
    assert_few_rejected(counted, limit, lambda delivery: frequent_reasons(judged.lines, delivery))
    return counted
