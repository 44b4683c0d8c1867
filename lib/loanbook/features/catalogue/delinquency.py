"""Delinquency: how late the loan is, and how late it has been."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa

from loanbook.features.catalogue.feature import Feature
from loanbook.features.engine.month_view import WINDOWS, Known
from loanbook.features.engine.values import NONE, Values
from loanbook.tables.columns import STATES

BUCKETS = {30: "dpd30", 60: "dpd60", 90: "dpd90"}
WORST_WINDOWS = (6, 12, 24)

_Delinquency = partial(Feature, theme="delinquency", roll_forward="path", known="report")
_Number = partial(_Delinquency, kind="numeric", type="INT", actionable=True, expected_sign="+", low=0)


def _count(state: str, months: int) -> Callable[[Known], Values]:
    return lambda k: Values(k.count(state, months), k.count("seen", months) > 0)


def _worst_of(months: int) -> Callable[[Known], Values]:
    return lambda k: k.worst(months)


def _observed(months: int) -> Callable[[Known], Values]:
    return lambda k: Values(k.count("seen", months))


def _ever_at(severity: int) -> Callable[[Known], Values]:
    return lambda k: Values((k.number("worst") >= severity).astype(np.int32))


def _since(name: str, first: int = 0) -> Callable[[Known], Values]:
    """Return the months since a month of the running state; missing where there is none."""
    return lambda k: Values(k.month - k.number(name) + first, k.number(name) != NONE)


def _total(name: str) -> Callable[[Known], Values]:
    return lambda k: Values(k.number(name).astype(np.int32))


def _state(name: str) -> Callable[[Known], pa.Array]:
    def compute(k: Known) -> pa.Array:
        codes = k.number(name)
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=codes < 0), pa.array(STATES))

    return compute


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
            compute=_count(state, months),
        )
        for months in WINDOWS
        for days, state in BUCKETS.items()
    ]


def _worst() -> list[Feature]:
    return [
        _Number(
            name=f"worst_state_{months}m",
            high=5,
            unit="0 current or inactive, 1 dpd30, 2 dpd60, 3 dpd90, 4 foreclosure, 5 reo",
            description=f"Worst state reported in the last {months} calendar months; null where none of them "
            "was reported",
            reason_code="DWS",
            reason_text=f"Worst delinquency in the last {months} months",
            compute=_worst_of(months),
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
            compute=_ever_at(days // 30),
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
        compute=_state("state"),
        actionable=True,
        expected_sign="?",
    ),
    _Number(
        name="months_delinquent",
        unit="months",
        description="Whole months past due, last reported",
        reason_code="DMD",
        reason_text="Payments now past due",
        compute=lambda k: k.given("months_delinquent"),
    ),
    *_counts(),
    *_worst(),
    _Number(
        name="months_since_30plus",
        unit="months",
        description="Calendar months since the loan was last reported 30 or more days past due; null: never",
        reason_code="DSL",
        reason_text="Time since the last late payment",
        compute=_since("late"),
        expected_sign="-",
    ),
    *_ever(),
    _Number(
        name="episodes_30plus",
        unit="episodes",
        description="Times that the loan was reported 30 or more days past due after a report without "
        "delinquency, or at first, within observed_since_months",
        reason_code="DE3",
        reason_text="Times that payments fell behind",
        compute=_total("episodes"),
    ),
    _Number(
        name="worsenings",
        unit="reports",
        description="Reports in a worse state than the report before, within observed_since_months",
        reason_code="DWO",
        reason_text="Times that the delinquency grew worse",
        compute=_total("worsenings"),
    ),
    _Number(
        name="cures_30plus",
        unit="reports",
        description="Reports without delinquency after a report 30 or more days past due, within "
        "observed_since_months",
        reason_code="DCU",
        reason_text="Times that arrears were made good",
        expected_sign="?",
        compute=_total("cures"),
    ),
    _Number(
        name="longest_run_current",
        unit="reports",
        description="Reports in the longest series without delinquency and without a missing one, "
        "within observed_since_months",
        reason_code="DLR",
        reason_text="Longest time without delinquency",
        expected_sign="-",
        compute=_total("longest"),
    ),
    _Number(
        name="default_episodes",
        unit="episodes",
        description="Default episodes entered up to this month",
        reason_code="DEP",
        reason_text="Earlier defaults",
        compute=_total("default_episodes"),
    ),
    _Number(
        name="months_in_state",
        unit="months",
        low=1,
        description="Calendar months since the report that began the present state, 1 in that month",
        reason_code="DMS",
        reason_text="Time in the present payment state",
        compute=_since("since", first=1),
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
        compute=_state("prior"),
        actionable=False,
        expected_sign="?",
    ),
    *(
        _Number(
            name=f"months_observed_{months}m",
            unit="months",
            high=months,
            description=f"Months reported in the last {months} calendar months",
            reason_code="DMO",
            reason_text=f"Months reported in the last {months}",
            actionable=False,
            expected_sign="?",
            compute=_observed(months),
        )
        for months in WINDOWS
    ),
    _Number(
        name="observed_since_months",
        unit="months",
        description="Calendar months since the loan's first report; a tape may begin after the loan",
        reason_code="DOS",
        reason_text="Length of the payment history",
        compute=_since("first"),
        actionable=False,
        expected_sign="?",
    ),
    _Number(
        name="months_since_report",
        unit="months",
        description="Calendar months since the loan was last reported; 0 in a reported month",
        reason_code="DSR",
        reason_text="Months without a report",
        compute=_since("last"),
        actionable=False,
    ),
    _Number(
        name="modified",
        unit="0 or 1",
        high=1,
        description="Whether the loan has been modified up to this month",
        reason_code="DMF",
        reason_text="Loan terms were modified",
        compute=lambda k: Values(k.number("modified").astype(np.int32), k.number("modified") >= 0),
    ),
)
