"""Loan terms: age, contract, borrower and property as first reported."""

from functools import partial

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.features.feature import Feature, PanelInputs, Theme, Transform

_Term = partial(Feature, theme="loan_terms", actionable=False, roll_forward="static", known="origination")
_Number = partial(_Term, kind="numeric", type="DOUBLE", low=0)
_Text = partial(_Term, kind="categorical", type="STRING", unit="name", expected_sign="?")

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
        expected_sign="?",
        roll_forward="deterministic",
    ),
    _Number(
        name="original_term",
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
        expected_sign="+",
        roll_forward="path",
    ),
    _Number(
        name="original_upb",
        unit="currency of the tape",
        description="Amount at origination",
        reason_code="LOA",
        reason_text="Amount of the loan",
        expected_sign="?",
        log=True,
    ),
    _Number(
        name="credit_score",
        type="INT",
        unit="points",
        description="Borrower's credit score at origination",
        reason_code="LCS",
        reason_text="Credit score at origination",
        expected_sign="-",
    ),
    _Number(
        name="dti",
        unit="percent",
        description="Debt to income at origination",
        reason_code="LDT",
        reason_text="Debt against income",
        expected_sign="+",
    ),
    _Number(
        name="ltv",
        unit="percent",
        description="Loan to value at origination",
        reason_code="LLV",
        reason_text="Loan against the property's value",
        expected_sign="+",
    ),
    _Number(
        name="cltv",
        unit="percent",
        description="Combined loan to value at origination",
        reason_code="LCL",
        reason_text="All loans against the property's value",
        expected_sign="+",
    ),
    _Number(
        name="mi_percent",
        unit="percent of the loss",
        description="Mortgage insurance coverage; 0 without insurance",
        reason_code="LMI",
        reason_text="Mortgage insurance",
        expected_sign="+",
    ),
    _Number(
        name="units",
        type="INT",
        unit="dwellings",
        description="Number of dwelling units",
        reason_code="LUN",
        reason_text="Number of dwellings",
        expected_sign="+",
    ),
    _Number(
        name="borrowers",
        type="INT",
        unit="persons",
        description="Number of borrowers",
        reason_code="LBO",
        reason_text="Number of borrowers",
        expected_sign="-",
    ),
    _Text(
        name="first_time_buyer",
        description="Whether the borrower bought for the first time, Y or N",
        reason_code="LFT",
        reason_text="First-time buyer",
    ),
    _Text(
        name="occupancy",
        description="primary, second or investor",
        reason_code="LOC",
        reason_text="Use of the property",
    ),
    _Text(
        name="purpose",
        description="purchase, cash_out, rate_term or refinance_unspecified",
        reason_code="LPU",
        reason_text="Purpose of the loan",
    ),
    _Text(
        name="property_type",
        description="single_family, condo, pud, coop or manufactured",
        reason_code="LPT",
        reason_text="Type of property",
    ),
    _Text(
        name="channel",
        description="retail, broker, correspondent or third_party_unspecified",
        reason_code="LCH",
        reason_text="Channel of origination",
    ),
    _Text(
        name="product",
        description="mortgage, card or personal",
        reason_code="LPR",
        reason_text="Product",
    ),
    _Text(
        name="region",
        description="Region of the loan, as macro series are joined by",
        reason_code="LRE",
        reason_text="Region",
    ),
    _Text(
        name="vintage",
        unit="YYYYQn",
        description="Quarter of origination; a model that takes it learns the calendar",
        reason_code="LVI",
        reason_text="Quarter of origination",
        default_input=False,
    ),
)


def with_loan_terms(inputs: PanelInputs) -> Transform:
    """Complete the terms of rows of the book joined with their loans; the plain ones are there already."""

    def transform(book: DataFrame) -> DataFrame:
        maturity = F.coalesce(
            F.col("maturity_month"),
            F.col("contract_maturity_month"),
            F.col("origination_month") + F.col("original_term"),
        )
        return book.withColumns(
            {
                "months_on_book": F.col("month") - F.coalesce("origination_month", "first_month"),
                "remaining_term": F.when(
                    maturity.isNotNull(), F.greatest(maturity - F.col("month"), F.lit(0))
                ),
                "rate": F.coalesce(F.col("current_rate"), F.col("original_rate")),
                "original_upb": F.col("original_cents") / F.lit(100.0),
            }
        )

    return transform


THEME = Theme(FEATURES, with_loan_terms)
