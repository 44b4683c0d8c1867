"""What a delivery loses to quarantine: how much to each reason, and whether a whole class of rows is lost.

A file may lose one row in a thousand and still lose every row in ``foreclosure``. So the reasons are told
with their share of delinquent rows, and a month or state that is lost entirely is refused.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import GateRefused
from loanbook.tables.columns import DELINQUENT_STATES, STATES

log = logging.getLogger(__name__)

MOST = 5  # reasons, or classes, that a message shows
# A line with one of these reasons has no month to believe, and so does not count as one lost of its month.
OF_THE_MONTH = ("missing_as_of_date", "future_month", "month_after_1970")


@dataclass(frozen=True)
class Rejected:
    """Rows that failed one check.

    Args:
        reason: name of the check.
        rows: how many failed it.
        with_state: those whose state could be read; None of files without states.
        delinquent: of these, those in a delinquent state.

    >>> print(Rejected("future_month", 1_200, with_state=1_000, delinquent=40))
    1,200 rejected by future_month; of 1,000 whose state could be read 40 are delinquent (4%)
    """

    reason: str
    rows: int
    with_state: int | None = None
    delinquent: int | None = None

    def __str__(self) -> str:
        told = f"{self.rows:,} rejected by {self.reason}"
        if self.with_state is None or self.delinquent is None:
            return told
        if not self.with_state:
            return f"{told}; the state of none could be read"
        share = f"{self.delinquent / self.with_state:.0%}"
        known = f"of {self.with_state:,} whose state could be read"
        return f"{told}; {known} {self.delinquent:,} are delinquent ({share})"


def by_reason(lines: DataFrame) -> list[Rejected]:
    """Return the reasons of the rejected rows, the most frequent first.

    A row with several reasons counts in each.
    """
    rejected = lines.where(F.col("fate") == "quarantined").withColumn("reason", F.explode("reasons"))
    of_states = (
        {} if "state" not in lines.columns else {"with_state": STATES, "delinquent": DELINQUENT_STATES}
    )
    counted = rejected.groupBy("reason").agg(
        F.count("*").alias("rows"),
        *(F.count_if(F.col("state").isin(*states)).alias(name) for name, states in of_states.items()),
    )
    return [Rejected(**row.asDict()) for row in counted.orderBy(F.desc("rows"), "reason").collect()]


def by_flag(lines: DataFrame) -> dict[str, int]:
    """Return how many published rows carry each flag."""
    flags = lines.where(F.col("fate") == "published").select(F.explode("quality_flags").alias("flag"))
    rows = flags.groupBy("flag").agg(F.count("*").alias("rows")).orderBy("flag")
    return {row["flag"]: row["rows"] for row in rows.collect()}


def warn_of(rejected: Sequence[Rejected], what: str) -> None:
    """Log the reasons of a file's rejected rows, so that none is lost without a word.

    Args:
        rejected: the most frequent first; beyond ``MOST`` they are only counted.
        what: whose rows they are.
    """
    for one in rejected[:MOST]:
        log.warning("%s: %s", what, one)
    if len(rejected) > MOST:
        log.warning("%s: %d more reasons of rejection, see show-quarantine", what, len(rejected) - MOST)


@dataclass(frozen=True)
class Lost:
    """A class of rows of which none was accepted: ``what`` in words, and how many ``rows``."""

    what: str
    rows: int


def lost_classes(lines: DataFrame) -> list[Lost]:
    """Return the months and states all of whose rows were rejected, and the values that have no state.

    A month or state with a single row is not counted as a class: it may be one bad line.

    Args:
        lines: judged rows of performance, with ``state_of``: the text that the mapping gives no state, else
            null.
    """
    believed = ~F.arrays_overlap("reasons", F.array(*map(F.lit, OF_THE_MONTH)))
    groups = lines.groupBy(
        F.when(believed, F.col("as_of_date")).alias("month"),
        F.when(F.col("state").isin(*STATES), F.col("state")).alias("state"),
    ).agg(F.count("*").alias("rows"), F.count_if(F.col("fate") == "quarantined").alias("lost"))
    found = [row.asDict() for row in groups.collect()]
    months = [Lost(f"all rows of {month:%Y-%m}", rows) for month, rows in _whole(found, "month")]
    states = [Lost(f"all rows of state {state}", rows) for state, rows in _whole(found, "state")]
    of = lines.where(F.col("state_of").isNotNull()).groupBy("state_of").agg(F.count("*").alias("rows"))
    without = of.orderBy(F.desc("rows"), "state_of").limit(MOST).collect()
    return [*months, *states, *(Lost(f"no state for {row['state_of']}", row["rows"]) for row in without)]


def _whole(groups: Sequence[Mapping[str, Any]], key: str) -> list[tuple[Any, int]]:
    """Return the values of which every row is lost, with their rows; one bad line is no class."""
    rows: Counter[Any] = Counter()
    lost: Counter[Any] = Counter()
    for group in groups:
        rows[group[key]] += group["rows"]
        lost[group[key]] += group["lost"]
    return [(value, rows[value]) for value in rows if value is not None and 1 < rows[value] == lost[value]]


def assert_no_class_lost(classes: Sequence[Lost], rows: int, limit: float) -> None:
    """Check that no class of rows was rejected as a whole, but for those of at most ``limit`` of all rows.

    Args:
        classes: of ``lost_classes``.
        rows: of the whole delivery.
        limit: share of ``rows``, 0 to 1.

    Raises:
        GateRefused: one was; the message names the classes with their rows.

    >>> assert_no_class_lost([Lost("all rows of 2020-01", 10)], rows=10_000, limit=0.001)
    >>> try:
    ...     assert_no_class_lost([Lost("all rows of 2020-01", 11)], rows=10_000, limit=0.001)
    ... except GateRefused as error:
    ...     print(error.found)
    all rows of 2020-01 (11), of 10,000 rows
    """
    if lost := [one for one in classes if one.rows > limit * rows]:
        shown = "; ".join(f"{one.what} ({one.rows:,})" for one in lost[:MOST])
        raise GateRefused(
            required=f"no more than {limit:.2%} of the rows rejected as a whole month, a whole state, or "
            "values that the mapping gives no state (ingest.max_lost_class_share)",
            found=f"{shown}, of {rows:,} rows",
            do="mend the mapping or the file; what is to be rejected for want of a state gets a check of its "
            "own in the mapping; --set ingest.max_lost_class_share=1 allows the rest; nothing was published",
        )
