"""The default definition: which months of a loan are in default, by window expressions that only look back.

A loan enters default in a month in the entry state or worse, or with a liquidation with loss. It leaves in
the month that completes its cure:

- ``cure_months`` consecutive observed months below dpd30;
- where the loan was modified during the default, ``cure_months_after_modification`` of them instead, counted
  after the modification. A later modification starts that count again only where the month before it was
  still in default by the short cure.

With ``cure_months`` of 3 and no modification:

    month   1           2           3          4          5
    state   dpd90       dpd30       current    current    current
    status  in_default  in_default  probation  probation  performing

In row numbers: a loan is in default while the last month that met an entry condition is later than the last
month that completed a cure.
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window, WindowSpec

from loanbook.book.months import LOAN
from loanbook.settings.book import DefaultDefinition
from loanbook.tables.columns import DELINQUENT_STATES, STATES, TERMINAL_STATES

BELOW_DPD30 = ("current", "inactive")
WORKING = (
    "_row", "_modification", "_trigger", "_good", "_good_months", "_entered", "_cured", "_in_default",
    "_distressed", "_good_since", "_long_cure",
)  # fmt: skip


def with_default_status(definition: DefaultDefinition) -> Callable[[DataFrame], DataFrame]:
    """Add default status, number of the episode, its entry and exit, and the definition's id.

    Takes canonical performance rows, one for each loan and month, none after an exit. A month without a row
    is not observed: it neither counts towards a cure nor breaks one. The rows are read three times: persist
    them first.

    Args:
        definition: the settings ``default_definition``.

    Returns:
        A function for ``df.transform``, which adds ``default_status``, ``default_entry``, ``default_exit``,
        ``default_episode`` (0 before the first) and ``default_definition_id``.
    """

    def add(performance: DataFrame) -> DataFrame:
        # Most loans never miss a payment. Only the others need the windows; they are few enough to broadcast.
        risky = F.broadcast(performance.where(_may_enter(definition)).select(*LOAN).distinct())
        months = performance.join(risky, list(LOAN), "left_semi").transform(_with_triggers(definition))
        months = months.transform(_with_short_cure(definition)).transform(_with_long_cure(definition))
        judged = months.transform(_with_status).drop(*WORKING)
        never = performance.join(risky, list(LOAN), "left_anti").transform(_never_in_default)
        whole = judged.unionByName(never)
        return whole.withColumn("default_definition_id", F.lit(definition.id))

    return add


def performing_expr() -> Column:
    """Return whether a loan is neither in default nor in probation."""
    return F.col("default_status") == "performing"


def _may_enter(definition: DefaultDefinition) -> Column:
    """Return a condition that some month of every loan that enters default meets."""
    states = DELINQUENT_STATES if definition.distressed_modification_is_default else entry_states(definition)
    return F.col("state").isin(*states) | F.col("loss_event")


def entry_states(definition: DefaultDefinition) -> list[str]:
    """Return the states that are default."""
    return [
        state for state in DELINQUENT_STATES if STATES.index(state) >= STATES.index(definition.entry_state)
    ]


def _never_in_default(performance: DataFrame) -> DataFrame:
    terminated = F.col("state").isin(*TERMINAL_STATES)
    return performance.select(
        "*",
        F.when(terminated, "terminated").otherwise("performing").alias("default_status"),
        F.lit(False).alias("default_entry"),
        F.lit(False).alias("default_exit"),
        F.lit(0).alias("default_episode"),
    )


def _history() -> WindowSpec:
    return Window.partitionBy(*LOAN).orderBy("as_of_date")


def _so_far() -> WindowSpec:
    return _history().rowsBetween(Window.unboundedPreceding, Window.currentRow)


def _last_row_where(condition: Column) -> Column:
    """Return the number of the last row so far that meets a condition, 0 before any does."""
    return F.coalesce(F.max(F.when(condition, F.col("_row"))).over(_so_far()), F.lit(0))


def _before(column: str) -> Column:
    return F.coalesce(F.lag(column).over(_history()), F.lit(False))


def _with_triggers(definition: DefaultDefinition) -> Callable[[DataFrame], DataFrame]:
    def add(months: DataFrame) -> DataFrame:
        was_modified, was_state = F.lag("modified").over(_history()), F.lag("state").over(_history())
        numbered = months.select(
            "*",
            F.row_number().over(_history()).alias("_row"),
            F.coalesce(F.col("modified") & ~was_modified, F.lit(False)).alias("_modification"),
            F.coalesce(was_state.isin(*DELINQUENT_STATES), F.lit(False)).alias("_was_delinquent"),
        )
        trigger = F.col("state").isin(*entry_states(definition))
        if definition.liquidation_with_loss_is_default:
            trigger = trigger | F.col("loss_event")
        if definition.distressed_modification_is_default:
            delinquent = F.col("_was_delinquent") | F.col("state").isin(*DELINQUENT_STATES)
            trigger = trigger | (F.col("_modification") & delinquent)
        good = F.col("state").isin(*BELOW_DPD30) & ~F.col("_trigger")
        return numbered.withColumn("_trigger", trigger).withColumn("_good", good).drop("_was_delinquent")

    return add


def _with_short_cure(definition: DefaultDefinition) -> Callable[[DataFrame], DataFrame]:
    """Judge the months as if no modification lengthened a cure."""

    def add(months: DataFrame) -> DataFrame:
        good_months = F.col("_row") - _last_row_where(~F.col("_good"))
        cured = F.col("_good_months") == definition.cure_months
        return (
            months.withColumn("_good_months", good_months)
            .select(
                "*",
                _last_row_where(F.col("_trigger")).alias("_entered"),
                _last_row_where(cured).alias("_cured"),
            )
            .withColumn("_in_default", F.col("_entered") > F.col("_cured"))
        )

    return add


def _with_long_cure(definition: DefaultDefinition) -> Callable[[DataFrame], DataFrame]:
    """Lengthen the cure of every episode with a modification, counted from its last modification."""

    def add(months: DataFrame) -> DataFrame:
        distressed = F.col("_modification") & (_before("_in_default") | F.col("_trigger"))
        since = F.least("_good_months", F.col("_row") - F.col("_distressed"))
        done = F.when(
            (F.col("_distressed") > 0) & (F.col("_good_since") == definition.cure_months_after_modification),
            F.col("_row"),
        )
        return (
            months.withColumn("_modification", distressed)
            .withColumn("_distressed", _last_row_where(F.col("_modification")))
            .withColumn("_good_since", since)
            .withColumn("_long_cure", F.coalesce(F.max(done).over(_so_far()), F.lit(0)))
            .withColumn("_in_default", _in_default())
        )

    return add


def _in_default() -> Column:
    in_long_cure = F.col("_distressed") > F.col("_long_cure")
    return in_long_cure | (F.col("_entered") > F.greatest("_cured", "_long_cure"))


def _with_status(months: DataFrame) -> DataFrame:
    was, now = _before("_in_default"), F.col("_in_default")
    status = (
        F.when(F.col("state").isin(*TERMINAL_STATES), "terminated")
        .when(now & F.col("_good"), "probation")
        .when(now, "in_default")
        .otherwise("performing")
    )
    marked = months.select(
        "*",
        status.alias("default_status"),
        (now & ~was).alias("default_entry"),
        (was & ~now).alias("default_exit"),
    )
    entries = F.sum(F.col("default_entry").cast("int")).over(_so_far())
    return marked.withColumn("default_episode", entries.cast("int"))
