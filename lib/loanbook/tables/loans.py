"""``loans``: each loan's terms and borrower at origination, as last delivered."""

from functools import partial

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import (
    ATTRIBUTES_FIT,
    DELIVERY,
    KNOWN_ON,
    LINE,
    LOAN_ID,
    MONEY,
    QUALITY_FLAGS,
    SLICE,
    SOURCE,
    in_bounds,
    one_of,
)

_term = partial(Column, filled_by="mapping", read_by=("features",))
_attribute = partial(Column, filled_by="attributes", read_by=("features",))

LOANS = Table(
    name="loans",
    lease="tapes",
    description="One row for each loan: terms and borrower at origination, as last delivered",
    columns=(
        SOURCE,
        LOAN_ID,
        SLICE,
        DELIVERY,
        LINE,
        KNOWN_ON,
        Column("product", "STRING", "mortgage, card or personal", required=True, read_by=("features",)),
        _term("origination_date", "DATE", "Month of origination, as its first day, 1901 to 2199"),
        Column("vintage", "STRING", "Quarter of origination, YYYYQn", read_by=("features",)),
        _term("first_payment_date", "DATE", "Month of the first payment, as its first day"),
        _term("maturity_date", "DATE", "Month of the last contractual payment, as its first day"),
        _term("original_upb", MONEY, "Amount at origination, currency of the tape"),
        _term("original_rate", "DECIMAL(8,5)", "Interest rate at origination, percent a year"),
        _term("original_term", "INT", "Contractual term at origination, months"),
        _term("credit_limit", MONEY, "Credit limit of a revolving account, currency of the tape"),
        _term("credit_score", "INT", "Borrower's credit score at origination, 300 to 850 for FICO"),
        _term("dti", "DOUBLE", "Debt to income at origination, percent"),
        _term("ltv", "DOUBLE", "Loan to value at origination, percent"),
        _term("cltv", "DOUBLE", "Combined loan to value at origination, percent"),
        _term(
            "mi_percent", "DOUBLE", "Mortgage insurance coverage, percent of the loss; 0 without insurance"
        ),
        _term("borrowers", "INT", "Number of borrowers"),
        _term("units", "INT", "Number of dwelling units"),
        _term("first_time_buyer", "STRING", "Y or N"),
        _term("occupancy", "STRING", "primary, second or investor"),
        _term("purpose", "STRING", "purchase, cash_out, rate_term or refinance_unspecified"),
        _term("property_type", "STRING", "single_family, condo, pud, coop or manufactured"),
        _term("channel", "STRING", "retail, broker, correspondent or third_party_unspecified"),
        _term(
            "region", "STRING", "Region that macro series are joined by (for the US, the state's two letters)"
        ),
        _term("zip3", "STRING", "First three digits of the postal code"),
        Column("seller", "STRING", "Institution that sold the loan", filled_by="mapping"),
        QUALITY_FLAGS,
        _attribute("numeric_attributes", "MAP<STRING,DOUBLE>", "The tape's own numeric attributes, by name"),
        _attribute(
            "categorical_attributes", "MAP<STRING,STRING>", "The tape's own categorical attributes, by name"
        ),
        _attribute("date_attributes", "MAP<STRING,DATE>", "The tape's own date attributes, by name"),
        _attribute("text_attributes", "MAP<STRING,STRING>", "The tape's own text attributes, by name"),
        _attribute(
            "attribute_roles",
            "MAP<STRING,STRING>",
            "Role of each attribute: input, protected, monitoring, identifier or post_outcome",
        ),
    ),
    key=("source", "loan_id"),
    partitions=("source",),
    constraints={
        "product_known": one_of("product", ("mortgage", "card", "personal")),
        "upb_not_negative": "original_upb IS NULL OR original_upb >= 0",
        "term_positive": "original_term IS NULL OR original_term > 0",
        "ltv_range": "ltv IS NULL OR (ltv > 0 AND ltv < 900)",
        "origination_in_bounds": in_bounds("origination_date"),
        "first_payment_in_bounds": in_bounds("first_payment_date"),
        "maturity_in_bounds": in_bounds("maturity_date"),
        **ATTRIBUTES_FIT,
    },
)
