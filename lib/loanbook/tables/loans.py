"""``loans``: each loan's terms and borrower at origination, as last delivered."""

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
        Column("product", "STRING", "mortgage, card or personal", required=True),
        Column("origination_date", "DATE", "Month of origination, as its first day, 1901 to 2199"),
        Column("vintage", "STRING", "Quarter of origination, YYYYQn"),
        Column("first_payment_date", "DATE", "Month of the first payment, as its first day"),
        Column("maturity_date", "DATE", "Month of the last contractual payment, as its first day"),
        Column("original_upb", MONEY, "Amount at origination, currency of the tape"),
        Column("original_rate", "DECIMAL(8,5)", "Interest rate at origination, percent a year"),
        Column("original_term", "INT", "Contractual term at origination, months"),
        Column("credit_limit", MONEY, "Credit limit of a revolving account, currency of the tape"),
        Column("credit_score", "INT", "Borrower's credit score at origination, 300 to 850 for FICO"),
        Column("dti", "DOUBLE", "Debt to income at origination, percent"),
        Column("ltv", "DOUBLE", "Loan to value at origination, percent"),
        Column("cltv", "DOUBLE", "Combined loan to value at origination, percent"),
        Column(
            "mi_percent", "DOUBLE", "Mortgage insurance coverage, percent of the loss; 0 without insurance"
        ),
        Column("borrowers", "INT", "Number of borrowers"),
        Column("units", "INT", "Number of dwelling units"),
        Column("first_time_buyer", "STRING", "Y or N"),
        Column("occupancy", "STRING", "primary, second or investor"),
        Column("purpose", "STRING", "purchase, cash_out, rate_term or refinance_unspecified"),
        Column("property_type", "STRING", "single_family, condo, pud, coop or manufactured"),
        Column("channel", "STRING", "retail, broker, correspondent or third_party_unspecified"),
        Column(
            "region", "STRING", "Region that macro series are joined by (for the US, the state's two letters)"
        ),
        Column("zip3", "STRING", "First three digits of the postal code"),
        Column("seller", "STRING", "Institution that sold the loan"),
        QUALITY_FLAGS,
        Column("numeric_attributes", "MAP<STRING,DOUBLE>", "The tape's own numeric attributes, by name"),
        Column(
            "categorical_attributes", "MAP<STRING,STRING>", "The tape's own categorical attributes, by name"
        ),
        Column("date_attributes", "MAP<STRING,DATE>", "The tape's own date attributes, by name"),
        Column("text_attributes", "MAP<STRING,STRING>", "The tape's own text attributes, by name"),
        Column(
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
