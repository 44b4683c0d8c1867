"""Balance: how much of the loan is left, how that moves, and how it is paid."""

from collections.abc import Callable
from functools import partial, reduce

import numpy as np

from loanbook.features.catalogue.feature import Feature
from loanbook.features.engine.month_view import Known, any_known, summed
from loanbook.features.engine.values import Numbers, Values, both, difference, first_known, ratio

CHANGES = (3, 12)

_Balance = partial(
    Feature,
    theme="balance",
    kind="numeric",
    type="DOUBLE",
    unit="ratio",
    actionable=True,
    expected_sign="+",
    roll_forward="path",
    known="report",
    low=0,
)


def scheduled_share(rate: Numbers, term: Numbers, payments: Numbers) -> Numbers:
    """Return the share of a level-payment loan that is left after ``payments`` of ``term`` monthly payments.

    ((1 + r)^N - (1 + r)^n) / ((1 + r)^N - 1) with r the monthly rate, and 1 - n/N at a rate of zero: the
    outstanding balance of an annuity.

    Args:
        rate: percent a year.
        term: monthly payments in all.
        payments: those due so far; fewer than 0 or more than ``term`` count as 0 and ``term``.

    >>> scheduled_share(np.array([0.0, 6.0]), np.array([12, 360]), np.array([3, 360])).tolist()
    [0.75, 0.0]
    """
    paid = np.clip(payments, 0, term).astype(float)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        growth = 1.0 + rate / 1200.0
        whole = growth**term
        level = (whole - growth**paid) / (whole - 1.0)
        return np.where(rate > 0, level, 1.0 - paid / term)


def _to_schedule(k: Known) -> Values:
    rate, term, original = (k.term(name) for name in ("original_rate", "original_term", "original_cents"))
    first = k.term("first_payment_month")
    payments = first_known(Values(k.month - first.data + 1, first.valid), Values(k.age))
    share = scheduled_share(rate.data, term.data, payments.data)
    scheduled = Values(original.data * share, both(original, rate, term))
    return ratio(k.upb, scheduled.where(share > 0))


def _change(months: int) -> Callable[[Known], Values]:
    def compute(k: Known) -> Values:
        then = k.ago("upb", months)
        return ratio(difference(k.upb, then), then)

    return compute


def _curtailment(k: Known) -> Values:
    return ratio(summed(k.last("curtailed", 12)), k.term("original_cents"))


def _shortfall(k: Known) -> Values:
    return ratio(summed(k.last("short", 3)), summed(k.last("due", 3)))


def _peak(k: Known) -> Values:
    if not k.limit.mask.any():
        return k.limit
    used = [k.utilisation(months) for months in range(12)]
    return Values(reduce(np.maximum, [value.filled(-np.inf) for value in used]), any_known(used))


def _limit_change(k: Known) -> Values:
    then = first_known(k.ago("limit", 12), k.term("limit_cents"))
    in_book = (k.bits("in_book") >> np.uint32(12) & np.uint32(1)) == 1
    return ratio(difference(k.limit, then), then.where(in_book))


def _paid_of_statement(k: Known) -> Values:
    statement = k.ago("statement", k.terms.period_months)
    return ratio(k.ago("paid", 0), statement.where(statement.data > 0))


FEATURES: tuple[Feature, ...] = (
    _Balance(
        name="upb",
        type="DECIMAL(16,2)",
        unit="currency of the tape",
        description="Unpaid principal balance last reported",
        reason_code="BUP",
        reason_text="Balance owed",
        expected_sign="?",
        log=True,
        compute=lambda k: k.upb,
    ),
    _Balance(
        name="upb_to_original",
        description="Balance over the amount at origination",
        reason_code="BUO",
        reason_text="Share of the loan still owed",
        compute=lambda k: ratio(k.upb, k.term("original_cents")),
    ),
    _Balance(
        name="upb_to_schedule",
        description="Balance over the balance that level payments at the original rate would have left",
        reason_code="BUS",
        reason_text="Balance against the payment schedule",
        compute=_to_schedule,
    ),
    *(
        _Balance(
            name=f"upb_change_{months}m",
            low=-1,
            description=f"Relative change of the balance over {months} calendar months; null where the loan "
            "was not in the book then",
            reason_code="BCH",
            reason_text=f"Change of the balance in {months} months",
            compute=_change(months),
        )
        for months in CHANGES
    ),
    _Balance(
        name="curtailment_12m",
        description="Principal repaid beyond the schedule in the last 12 calendar months, over the amount "
        "at origination; counted between consecutive reports in state current, both with a balance, "
        "scheduled being the level payment less the interest on the balance before at the rate last "
        "reported; null where no month could be counted",
        reason_code="BCU",
        reason_text="Repayments beyond the schedule",
        expected_sign="-",
        revision=2,
        compute=_curtailment,
    ),
    _Balance(
        name="shortfall_3m",
        high=1,
        description="Part of the level payments of the last 3 calendar months that was not "
        "received; null where no payment was reported or no level payment is known",
        reason_code="BSH",
        reason_text="Payments below the instalment",
        compute=_shortfall,
    ),
    _Balance(
        name="utilisation",
        description="Balance over the credit limit of a revolving account, the limit last "
        "reported, else that at "
        "origination",
        reason_code="BUT",
        reason_text="Use of the credit limit",
        compute=lambda k: k.utilisation(0),
    ),
    _Balance(
        name="utilisation_change_3m",
        low=None,
        description="Change of the utilisation over 3 calendar months; null where the account was "
        "not in the book "
        "then",
        reason_code="BUC",
        reason_text="Change in the use of the limit",
        compute=lambda k: difference(k.utilisation(0), k.utilisation(3)),
    ),
    _Balance(
        name="utilisation_peak_12m",
        description="Highest utilisation of the last 12 calendar months in the book",
        reason_code="BPK",
        reason_text="Highest use of the limit in 12 months",
        compute=_peak,
    ),
    _Balance(
        name="payment_to_statement",
        low=None,  # a payment that bounced is a negative one
        description="Payment reported in the month over the statement balance of one period before",
        reason_code="BPS",
        reason_text="Payment against the statement",
        expected_sign="-",
        compute=_paid_of_statement,
    ),
    _Balance(
        name="limit_change_12m",
        low=-1,
        description="Relative change of the credit limit over 12 calendar months; null where the "
        "account was not "
        "in the book then",
        reason_code="BLC",
        reason_text="Change of the credit limit",
        expected_sign="-",
        compute=_limit_change,
    ),
)
