"""Balance: how much of the loan is left, and how that moves."""

from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.features.feature import Feature, PanelInputs, Theme, Transform
from loanbook.features.months import loan_window

CHANGES = (3, 12)

_Balance = partial(
    Feature,
    theme="balance",
    kind="numeric",
    type="DOUBLE",
    actionable=True,
    expected_sign="+",
    known="report",
    low=0,
)

FEATURES: tuple[Feature, ...] = (
    _Balance(
        name="upb",
        type="DECIMAL(16,2)",
        unit="currency of the tape",
        description="Unpaid principal balance last reported",
        reason_code="BUP",
        reason_text="Balance owed",
        expected_sign="?",
        roll_forward="path",
        log=True,
    ),
    _Balance(
        name="upb_to_original",
        unit="ratio",
        description="Balance over the amount at origination",
        reason_code="BUO",
        reason_text="Share of the loan still owed",
        roll_forward="path",
    ),
    _Balance(
        name="upb_to_schedule",
        unit="ratio",
        description="Balance over the balance that level payments at the original rate would have left",
        reason_code="BUS",
        reason_text="Balance against the payment schedule",
        roll_forward="path",
    ),
    *(
        _Balance(
            name=f"upb_change_{months}m",
            unit="ratio",
            low=-1,
            description=f"Relative change of the balance over {months} calendar months; null where the loan "
            "was not in the book then",
            reason_code="BCH",
            reason_text=f"Change of the balance in {months} months",
            roll_forward="path",
        )
        for months in CHANGES
    ),
    _Balance(
        name="utilisation",
        unit="ratio",
        description="Balance over the credit limit of a revolving account",
        reason_code="BUT",
        reason_text="Use of the credit limit",
        roll_forward="path",
    ),
)


def scheduled_share_expr(rate: Column, term: Column, payments: Column) -> Column:
    """Return the share of a level-payment loan that is left after ``payments`` of ``term`` monthly payments.

    ((1 + r)^N - (1 + r)^n) / ((1 + r)^N - 1) with r the monthly rate, and 1 - n/N at a rate of zero: the
    outstanding balance of an annuity.

    Args:
        rate: percent a year.
        term: monthly payments in all.
        payments: those due so far; fewer than 0 or more than ``term`` count as 0 and ``term``.
    """
    paid = F.when(payments.isNotNull(), F.greatest(F.lit(0), F.least(payments, term)))
    growth = F.lit(1.0) + rate / F.lit(1200.0)
    level = F.try_divide(F.pow(growth, term) - F.pow(growth, paid), F.pow(growth, term) - F.lit(1.0))
    return F.when(rate > 0, level).when(rate == 0, F.lit(1.0) - F.try_divide(paid, term))


def with_balance(inputs: PanelInputs) -> Transform:
    """Add the balance features to rows of the book joined with their loans; amounts divide as whole cents."""

    def transform(book: DataFrame) -> DataFrame:
        upb, original = F.col("upb_cents"), F.col("original_cents")
        first_due = F.col("month") - F.col("first_payment_month") + 1
        share = scheduled_share_expr(
            F.col("original_rate"), F.col("original_term"), F.coalesce(first_due, F.col("months_on_book"))
        )
        return book.withColumns(
            {
                "upb_to_original": F.try_divide(upb, original),
                "upb_to_schedule": F.try_divide(upb, F.when(share > 0, original * share)),
                "utilisation": F.try_divide(upb, F.col("limit_cents")),
                **{f"upb_change_{k}m": _change(k) for k in CHANGES},
            }
        )

    return transform


def _change(months: int) -> Column:
    then = F.max("upb_cents").over(loan_window(-months, -months))
    return F.try_divide(F.col("upb_cents") - then, then)


THEME = Theme(FEATURES, with_balance)
