"""Loan terms: age, contract, borrower and property at origination."""

from functools import partial
from typing import Any

import numpy as np

from loanbook.features.catalogue.feature import Feature
from loanbook.features.engine.month_view import Known
from loanbook.features.engine.values import Values, first_known

_Term = partial(Feature, theme="loan_terms", actionable=False, roll_forward="static", known="origination")
_Number = partial(_Term, kind="numeric", type="DOUBLE", low=0)
_Text = partial(_Term, kind="categorical", type="STRING", unit="name", expected_sign="?")


def _number(name: str, **entry: Any) -> Feature:
    """Return a number that the terms have as it is."""
    return _Number(name=name, compute=lambda k: k.term(name), **entry)


def _text(name: str, **entry: Any) -> Feature:
    return _Text(name=name, compute=lambda k: k.text(name), **entry)


def _remaining_term(k: Known) -> Values:
    contract = k.term("contract_maturity_month")
    start, term = k.term("origination_month"), k.term("original_term")
    by_term = Values(start.data + term.data, start.mask & term.mask)
    maturity = first_known(k.given("maturity"), contract, by_term)
    return Values(np.maximum(maturity.data - k.month, 0), maturity.valid)


def _amount(k: Known) -> Values:
    cents = k.term("original_cents")
    return Values(cents.data / 100.0, cents.valid)


def _season(k: Known) -> Values:
    return Values(np.full(len(k.at), k.month % 12 + 1, np.int32))


FEATURES: tuple[Feature, ...] = (
    _Number(
        name="months_on_book",
        type="INT",
        known="report",
        low=None,  # a tape may report before the month of origination
        unit="months",
        description="Calendar months since origination; where that is unknown, since the first report",
        reason_code="LAG",
        reason_text="Age of the loan",
        compute=lambda k: Values(k.age),
        expected_sign="?",
        roll_forward="deterministic",
    ),
    _Number(
        name="remaining_term",
        type="INT",
        known="report",
        unit="months",
        description="Months to the contractual maturity, last reported, else from the terms at origination",
        reason_code="LRT",
        reason_text="Remaining term",
        compute=_remaining_term,
        expected_sign="?",
        roll_forward="deterministic",
    ),
    _number(
        "original_term",
        type="INT",
        unit="months",
        description="Contractual term at origination",
        reason_code="LOT",
        reason_text="Term of the loan",
        expected_sign="+",
    ),
    _Number(
        name="rate",
        known="report",
        unit="percent a year",
        description="Interest rate last reported, else the one at origination",
        reason_code="LRA",
        reason_text="Interest rate",
        compute=lambda k: k.rate,
        expected_sign="+",
        roll_forward="path",
    ),
    _Number(
        name="original_upb",
        unit="currency of the tape",
        description="Amount at origination",
        reason_code="LOA",
        reason_text="Amount of the loan",
        compute=_amount,
        expected_sign="?",
        log=True,
    ),
    _number(
        "credit_score",
        type="INT",
        unit="points",
        description="Borrower's credit score at origination",
        reason_code="LCS",
        reason_text="Credit score at origination",
        expected_sign="-",
    ),
    _number(
        "dti",
        unit="percent",
        description="Debt to income at origination",
        reason_code="LDT",
        reason_text="Debt against income",
        expected_sign="+",
    ),
    _number(
        "ltv",
        unit="percent",
        description="Loan to value at origination",
        reason_code="LLV",
        reason_text="Loan against the property's value",
        expected_sign="+",
    ),
    _number(
        "cltv",
        unit="percent",
        description="Combined loan to value at origination",
        reason_code="LCL",
        reason_text="All loans against the property's value",
        expected_sign="+",
    ),
    _number(
        "mi_percent",
        unit="percent of the loss",
        description="Mortgage insurance coverage; 0 without insurance",
        reason_code="LMI",
        reason_text="Mortgage insurance",
        expected_sign="+",
    ),
    _number(
        "units",
        type="INT",
        unit="dwellings",
        description="Number of dwelling units",
        reason_code="LUN",
        reason_text="Number of dwellings",
        expected_sign="+",
    ),
    _number(
        "borrowers",
        type="INT",
        unit="persons",
        description="Number of borrowers",
        reason_code="LBO",
        reason_text="Number of borrowers",
        expected_sign="-",
    ),
    _Term(
        name="calendar_month",
        kind="numeric",
        type="INT",
        unit="month of the year",
        low=1,
        high=12,
        known="report",
        description="Month of the year, for seasonality; December and January are neighbours, so a "
        "model of straight "
        "lines gains little",
        reason_code="LSE",
        reason_text="Season",
        expected_sign="?",
        roll_forward="deterministic",
        default_input=False,
        compute=_season,
    ),
    _text(
        "first_time_buyer",
        description="Whether the borrower bought for the first time, Y or N",
        reason_code="LFT",
        reason_text="First-time buyer",
    ),
    _text(
        "occupancy",
        description="primary, second or investor",
        reason_code="LOC",
        reason_text="Use of the property",
    ),
    _text(
        "purpose",
        description="purchase, cash_out, rate_term or refinance_unspecified",
        reason_code="LPU",
        reason_text="Purpose of the loan",
    ),
    _text(
        "property_type",
        description="single_family, condo, pud, coop or manufactured",
        reason_code="LPT",
        reason_text="Type of property",
    ),
    _text(
        "channel",
        description="retail, broker, correspondent or third_party_unspecified",
        reason_code="LCH",
        reason_text="Channel of origination",
    ),
    _text(
        "product",
        description="mortgage, card or personal",
        reason_code="LPR",
        reason_text="Product",
    ),
    _text(
        "region",
        description="Region of the loan, as macro series are joined by",
        reason_code="LRE",
        reason_text="Region",
    ),
    _text(
        "vintage",
        unit="YYYYQn",
        description="Quarter of origination; a model that takes it learns the calendar",
        reason_code="LVI",
        reason_text="Quarter of origination",
        default_input=False,
    ),
)
