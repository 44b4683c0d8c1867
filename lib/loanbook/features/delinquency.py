"""Delinquency: how late the loan is, and how late it has been."""

from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.features.feature import Feature, PanelInputs, Theme, Transform
from loanbook.features.months import loan_window, so_far
from loanbook.tables.columns import STATES

WINDOWS = (3, 6, 12)
BUCKETS = (30, 60, 90)
WORST_WINDOWS = (12, 24)
BITS = 9  # of a counter: windows of up to 511 months

_Delinquency = partial(Feature, theme="delinquency", roll_forward="path", known="report")
_Number = partial(_Delinquency, kind="numeric", type="INT", actionable=True, expected_sign="+", low=0)


def _counts() -> list[Feature]:
    return [
        _Number(
            name=f"months_{days}plus_{months}m",
            unit="months",
            high=months,
            description=f"Months reported {days} or more days past due (foreclosure and REO included) in the "
            f"last {months} calendar months; null where none of them was reported",
            reason_code=f"D{days}",
            reason_text=f"Months {days} or more days past due in the last {months} months",
        )
        for months in WINDOWS
        for days in BUCKETS
    ]


def _worst() -> list[Feature]:
    return [
        _Number(
            name=f"worst_state_{months}m",
            high=5,
            unit="0 current or inactive, 1 dpd30, 2 dpd60, 3 dpd90, 4 foreclosure, 5 reo",
            description=f"Worst state reported in the last {months} calendar months",
            reason_code="DWS",
            reason_text=f"Worst delinquency in the last {months} months",
        )
        for months in WORST_WINDOWS
    ]


def _ever() -> list[Feature]:
    return [
        _Number(
            name=f"ever_{days}plus",
            unit="0 or 1",
            high=1,
            description=f"Whether the loan was {days} or more days past due within observed_since_months",
            reason_code=f"DE{days}",
            reason_text=f"Was {days} or more days past due before",
        )
        for days in BUCKETS
    ]


FEATURES: tuple[Feature, ...] = (
    _Delinquency(
        name="state",
        kind="categorical",
        type="STRING",
        unit="state",
        description="State last reported",
        reason_code="DST",
        reason_text="Present payment state",
        actionable=True,
        expected_sign="?",
    ),
    _Number(
        name="months_delinquent",
        unit="months",
        description="Whole months past due, last reported",
        reason_code="DMD",
        reason_text="Payments now past due",
    ),
    *_counts(),
    *_worst(),
    _Number(
        name="months_since_30plus",
        unit="months",
        description="Calendar months since the loan was last reported 30 or more days past due; null: never",
        reason_code="DSL",
        reason_text="Time since the last late payment",
        expected_sign="-",
    ),
    *_ever(),
    _Number(
        name="default_episodes",
        unit="episodes",
        description="Default episodes entered up to this month",
        reason_code="DEP",
        reason_text="Earlier defaults",
    ),
    _Number(
        name="months_in_state",
        unit="months",
        low=1,
        description="Calendar months since the report that began the present state, 1 in that month",
        reason_code="DMS",
        reason_text="Time in the present payment state",
        expected_sign="?",
    ),
    _Delinquency(
        name="previous_state",
        kind="categorical",
        type="STRING",
        unit="state",
        description="State reported before the present one began; null where it never changed",
        reason_code="DPS",
        reason_text="Payment state before the present one",
        actionable=False,
        expected_sign="?",
    ),
    _Number(
        name="months_observed_12m",
        unit="months",
        high=12,
        description="Months reported in the last 12 calendar months",
        reason_code="DMO",
        reason_text="Months reported in the last 12",
        actionable=False,
        expected_sign="?",
    ),
    _Number(
        name="observed_since_months",
        unit="months",
        description="Calendar months since the loan's first report; a tape may begin after the loan",
        reason_code="DOS",
        reason_text="Length of the payment history",
        actionable=False,
        expected_sign="?",
    ),
    _Number(
        name="months_since_report",
        unit="months",
        description="Calendar months since the loan was last reported; 0 in a reported month",
        reason_code="DSR",
        reason_text="Months without a report",
        actionable=False,
    ),
    _Number(
        name="modified",
        unit="0 or 1",
        high=1,
        description="Whether the loan has been modified up to this month",
        reason_code="DMF",
        reason_text="Loan terms were modified",
    ),
)


def severity_expr(state: str) -> Column:
    """Return 0 (current, inactive) to 5 (reo) for a live state."""
    ranks = {name: STATES.index(name) for name in ("dpd30", "dpd60", "dpd90", "foreclosure", "reo")}
    rank = F.lit(0)
    for name, value in ranks.items():
        rank = F.when(F.col(state) == name, value).otherwise(rank)
    return rank


def with_delinquency(inputs: PanelInputs) -> Transform:
    """Add the delinquency features to rows of the book; unreported months count as missing, not as paid."""

    def transform(book: DataFrame) -> DataFrame:
        rows = book.withColumn("severity", F.when(F.col("reported"), severity_expr("state")))
        return rows.withColumns({**_windowed(), **_history()}).drop("severity")

    return transform


def _windowed() -> dict[str, Column]:
    packed = {months: F.sum(_flags()).over(loan_window(1 - months)) for months in WINDOWS}
    counts = {
        f"months_{days}plus_{months}m": _unpacked(packed[months], position)
        for months in WINDOWS
        for position, days in enumerate(BUCKETS)
    }
    worst = {f"worst_state_{k}m": F.max("severity").over(loan_window(1 - k)) for k in WORST_WINDOWS}
    observed = F.coalesce(_unpacked(packed[12], len(BUCKETS)), F.lit(0))
    return {**counts, **worst, "months_observed_12m": observed}


def _flags() -> Column:
    """Return the counters of a reported month (30+, 60+, 90+, reported) in one long, for one sum to count."""
    flags = [F.col("severity") >= days // 30 for days in BUCKETS] + [F.col("severity").isNotNull()]
    longs = [F.shiftleft(flag.cast("bigint"), BITS * position) for position, flag in enumerate(flags)]
    return sum(longs[1:], longs[0])


def _unpacked(packed: Column, position: int) -> Column:
    return F.shiftright(packed, BITS * position).bitwiseAND(2**BITS - 1).cast("int")


def _history() -> dict[str, Column]:
    month = F.col("month")
    changed = F.col("reported") & ~F.col("state").eqNullSafe(F.col("prior_state"))
    worst_ever = F.max("severity").over(so_far())
    last_late = F.max(F.when(F.col("severity") >= 1, month)).over(so_far())
    return {
        **{f"ever_{days}plus": (worst_ever >= days // 30).cast("int") for days in BUCKETS},
        "months_since_30plus": month - last_late,
        "months_in_state": month - F.max(F.when(changed, month)).over(so_far()) + 1,
        "previous_state": F.last(F.when(changed, F.col("prior_state")), ignorenulls=True).over(so_far()),
        "default_episodes": F.col("default_episode"),
        "observed_since_months": month - F.col("first_month"),
        "modified": F.col("modified").cast("int"),
    }


THEME = Theme(FEATURES, with_delinquency)
