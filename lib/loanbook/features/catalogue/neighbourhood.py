"""Neighbourhood: default and prepayment rates of the loan's region, postal area and vintage.

Each is shrunk to the rate of the whole source: with 2 defaults in 100 loan-months of a region, 1,000 in
100,000 of the source, and a weight of 2,400, it is (2 + 24) / (100 + 2,400) = 1.04 % a month. The more
loan-months a cell has of its own, the less the source's rate counts.
"""

from functools import partial
from typing import Literal

import numpy as np

from loanbook.features.catalogue.feature import Expression, Feature
from loanbook.features.engine.month_view import Known
from loanbook.features.engine.values import Values
from loanbook.tables.neighbourhood import COUNTS

MONTHS_A_YEAR = 12
_Rate = partial(
    Feature,
    theme="neighbourhood",
    kind="numeric",
    type="DOUBLE",
    unit="events a loan-year",
    low=0,
    actionable=False,
    roll_forward="macro",
    known="report",
)
CELLS = {
    "region": "the region",
    "zip3": "the three-digit postal area",
    "vintage": "the quarter of origination",
}
EVENTS: dict[str, tuple[str, str, Literal["+", "?"], str]] = {
    "default": ("defaults", "Default", "+", "D"),
    "prepayment": ("prepaid", "Prepayment", "?", "P"),
}


def _rate(kind: str, count: str) -> Expression:
    """Return a cell's rate, shrunk to that of the whole source.

    (e + w E / N) / (n + w) with the cell's events e of n loan-months, the source's E of N, and the weight w:
    Buehlmann's credibility formula, in which w is the loan-months at which a cell's own rate weighs as much
    as the source's.
    """
    position = COUNTS.index(count)

    def compute(k: Known) -> Values:
        own, placed = k.around(kind)
        whole, _ = k.around("nation")
        weight = k.neighbourhood.weight if k.neighbourhood else 0
        at_risk, events = own[:, 0], own[:, position]
        with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is known yet
            source_rate = whole[:, position] / whole[:, 0]
            rate = (events + weight * source_rate) / (at_risk + weight)
        known = placed & (whole[:, 0] > 0) & np.isfinite(rate)
        return Values(rate * MONTHS_A_YEAR / k.terms.period_months, known)

    return compute


FEATURES: tuple[Feature, ...] = tuple(
    _Rate(
        name=f"{kind}_{event}_rate_12m",
        description=f"{words} rate of loans of {cell} over the 12 months before this one, the loan itself "
        "left out, shrunk to the rate of the source's other loans",
        expected_sign=sign,
        reason_code=f"N{kind[0].upper()}{letter}",
        reason_text=f"{words} rate of {cell}",
        compute=_rate(kind, count),
    )
    for kind, cell in CELLS.items()
    for event, (count, words, sign, letter) in EVENTS.items()
)
