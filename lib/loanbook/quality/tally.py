"""What became of the lines of a delivery: every one is published, quarantined, superseded or set aside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import LoanbookError
from loanbook.quality.checks import WRONG_LAYOUT
from loanbook.quality.fates import FATES
from loanbook.tables.columns import DELINQUENT_STATES, TERMINAL_STATES


@dataclass(frozen=True)
class Tally:
    """What became of the rows of one delivery.

    ``upb_*`` are sums of balances, in the tape's currency; None where no row has one.

    Args:
        wrong_layout: rows of lines with the wrong number of fields.
        found_fields: the most fields that such a line had.
        distinct_lines: lines that the rows were made of.
        repeated: rows superseded by others of the same run.
        flagged: published rows that failed a check and were kept.
        delinquent: published rows in a delinquent state.
        halts: names of the checks of severity ``halt`` that rows failed.
        halted: how many rows did.
        last_live_month: last month with a row that is no exit.

    >>> Tally(published=97, quarantined=1, superseded=2).rows
    100
    """

    published: int = 0
    quarantined: int = 0
    superseded: int = 0
    set_aside: int = 0
    wrong_layout: int = 0
    found_fields: int | None = None
    distinct_lines: int = 0
    repeated: int = 0
    flagged: int = 0
    upb_read: Decimal | None = None
    upb: Decimal | None = None
    upb_quarantined: Decimal | None = None
    upb_superseded: Decimal | None = None
    upb_set_aside: Decimal | None = None
    delinquent: int = 0
    halts: Sequence[str] = ()
    halted: int = 0
    first_month: date | None = None
    last_month: date | None = None
    last_live_month: date | None = None

    @property
    def is_open(self) -> bool | None:
        """Return whether loans were live in the last month; None for a file without months.

        A cohort's file that is closed, with no loan left, may end before the others do.

        >>> Tally(last_month=date(2020, 3, 31), last_live_month=date(2020, 1, 31)).is_open
        False
        """
        return None if self.last_month is None else self.last_month == self.last_live_month

    @property
    def rows(self) -> int:
        """Return the number of rows over all fates: of lines, unless the mapping makes several of one."""
        return self.published + self.quarantined + self.superseded + self.set_aside


def tallies(lines: DataFrame, *, several: bool = False) -> dict[str, Tally]:
    """Return the tally of each delivery from its rows with their ``fate``, in one pass.

    Args:
        lines: the rows.
        several: whether a line may have made several of them.
    """
    is_published = F.col("fate") == "published"
    wrong = F.array_contains("reasons", WRONG_LAYOUT)
    has_months = "as_of_date" in lines.columns
    month = F.when(is_published, F.col("as_of_date")) if has_months else F.lit(None).cast("date")
    is_live = ~F.col("state").isin(*TERMINAL_STATES) if "state" in lines.columns else F.lit(True)
    halts = F.col("halts") if "halts" in lines.columns else F.array().cast("array<string>")
    flags = F.col("quality_flags") if "quality_flags" in lines.columns else F.array().cast("array<string>")
    late = F.col("state").isin(*DELINQUENT_STATES) if "state" in lines.columns else F.lit(False)
    balance = next((name for name in ("upb", "original_upb") if name in lines.columns), None)
    upb = F.lit(None).cast("decimal(16,2)") if balance is None else F.col(balance)
    rows = lines.groupBy("delivery").agg(
        *(F.count_if(F.col("fate") == fate).alias(fate) for fate in FATES),
        F.count_if(wrong).alias("wrong_layout"),
        F.max(F.when(wrong, F.col("found_fields"))).alias("found_fields"),
        (F.count_distinct("line") if several else F.count("line")).alias("distinct_lines"),
        F.count_if("repeated" if "repeated" in lines.columns else F.lit(False)).alias("repeated"),
        F.count_if(is_published & (F.size(flags) > 0)).alias("flagged"),
        F.sum(upb).alias("upb_read"),
        F.sum(F.when(is_published, upb)).alias("upb"),
        *(F.sum(F.when(F.col("fate") == fate, upb)).alias(f"upb_{fate}") for fate in FATES[1:]),
        F.count_if(is_published & late).alias("delinquent"),
        F.array_sort(F.array_distinct(F.flatten(F.collect_set(halts)))).alias("halts"),
        F.count_if(F.size(halts) > 0).alias("halted"),
        F.min(month).alias("first_month"),
        F.max(month).alias("last_month"),
        F.max(F.when(is_live, month)).alias("last_live_month"),
    )
    return {
        row["delivery"]: Tally(**{k: v for k, v in row.asDict().items() if k != "delivery"})
        for row in rows.collect()
    }


def assert_reconciled(delivery: str, lines: int, tally: Tally) -> None:
    """Check that the lines that were read, and no others, have a fate, and that their balances add up.

    Args:
        delivery: its name, for the message.
        lines: how many were read.
        tally: what became of them.

    Raises:
        LoanbookError: some were lost or doubled, which is a fault of this program.

    >>> assert_reconciled("jan.csv:0a", 3, Tally(published=2, quarantined=1, distinct_lines=3))
    """
    if lines != tally.distinct_lines:
        found = tally.distinct_lines
        raise LoanbookError(f"{delivery}: {lines} lines read, but {found} accounted for: {tally}")
    balances = (tally.upb, tally.upb_quarantined, tally.upb_superseded, tally.upb_set_aside)
    accounted = sum((upb for upb in balances if upb is not None), Decimal(0))
    if (tally.upb_read or 0) != accounted:
        raise LoanbookError(f"{delivery}: UPB {tally.upb_read} read, but {accounted} accounted for: {tally}")
