"""Macro: what was known of the economy that month, by publication lag and revision."""

from functools import partial

import numpy as np

from loanbook.features.catalogue.feature import Expression, Feature
from loanbook.features.engine.macro_by_month import AGO
from loanbook.features.engine.month_view import Known, summed
from loanbook.features.engine.values import Values, both, difference, first_known, ratio

_Macro = partial(
    Feature,
    theme="macro",
    kind="numeric",
    type="DOUBLE",
    actionable=False,
    expected_sign="+",
    roll_forward="macro",
    known="publication",
)


def _series(name: str) -> Expression:
    return lambda k: k.economy(name)


def _spread_at_origination(k: Known) -> Values:
    return difference(k.term("original_rate"), k.economy_at_origination("mortgage_rate"))


def _mean_incentive(k: Known) -> Values:
    months = k.last("incentive", 12)
    count = np.add.reduce([value.mask for value in months], dtype=np.int64)
    total = summed([Values(value.data.astype(np.int64), value.valid) for value in months])
    return ratio(total, Values(count * 100_000))


def _burnout(k: Known) -> Values:
    return Values(k.number("money_months").astype(np.int32), k.incentive.mask)


def _marked_to_market(k: Known) -> Values:
    own = ratio(k.economy_at_origination("hpi"), k.economy("hpi"))
    nation = ratio(k.economy_at_origination("nation_hpi"), k.economy("nation_hpi"))
    index, left = first_known(own, nation), ratio(k.upb, k.term("original_cents"))
    ltv = k.term("ltv")
    known = both(ltv, left, index)
    with np.errstate(invalid="ignore"):  # of what is missing
        return Values(ltv.data * left.data * index.data, known)


FEATURES: tuple[Feature, ...] = (
    _Macro(
        name="unemployment",
        unit="percent",
        low=0,
        high=100,
        description="Unemployment rate of the loan's region while its series goes on, else of the nation",
        reason_code="MUN",
        reason_text="Unemployment",
        compute=_series("unemployment"),
    ),
    *(
        _Macro(
            name=f"unemployment_change_{months}m",
            unit="percentage points",
            description=f"Change of that unemployment rate over {months} months",
            reason_code="MUC",
            reason_text=f"Rise of unemployment in {months} months",
            compute=_series(f"unemployment_change_{months}m"),
        )
        for months in AGO
    ),
    _Macro(
        name="mortgage_rate",
        unit="percent a year",
        description="Market rate of new mortgages",
        reason_code="MMR",
        reason_text="Market interest rate",
        expected_sign="?",
        compute=_series("mortgage_rate"),
    ),
    *(
        _Macro(
            name=f"mortgage_rate_change_{months}m",
            unit="percentage points",
            description=f"Change of the market rate over {months} months",
            reason_code="MRC",
            reason_text=f"Change of market interest rates in {months} months",
            expected_sign="?",
            compute=_series(f"mortgage_rate_change_{months}m"),
        )
        for months in AGO
    ),
    _Macro(
        name="incentive",
        unit="percentage points",
        description="The loan's rate less the market rate: what a refinancing would save",
        reason_code="MIN",
        reason_text="Rate against the market",
        compute=lambda k: k.incentive,
    ),
    _Macro(
        name="incentive_mean_12m",
        unit="percentage points",
        description="Mean of that incentive over the months in the book of the last 12 calendar months",
        reason_code="MIM",
        reason_text="Rate against the market over 12 months",
        compute=_mean_incentive,
    ),
    _Macro(
        name="burnout",
        type="INT",
        unit="months",
        low=0,
        description="Months in the book, within observed_since_months, in which the loan's rate "
        "was above the market "
        "rate: chances to refinance that were let pass",
        reason_code="MBO",
        reason_text="Chances to refinance let pass",
        compute=_burnout,
    ),
    _Macro(
        name="rate_spread_at_origination",
        unit="percentage points",
        description="The rate at origination less the market rate known in that month, or in that of "
        "the first report where it came earlier",
        reason_code="MSO",
        reason_text="Rate against the market at origination",
        roll_forward="static",
        compute=_spread_at_origination,
    ),
    _Macro(
        name="mtm_ltv",
        unit="percent",
        low=0,
        description="Loan to value marked to market: ltv x balance / original amount x index known at "
        "origination / index known now, both of the region, else of the nation",
        reason_code="MLV",
        reason_text="Loan against the property's present value",
        compute=_marked_to_market,
    ),
    _Macro(
        name="hpi_growth_12m",
        unit="ratio",
        low=-1,
        description="Growth of the house price index of the region, else of the nation, over 12 months",
        reason_code="MHG",
        reason_text="House prices in 12 months",
        expected_sign="-",
        compute=_series("hpi_growth_12m"),
    ),
)
