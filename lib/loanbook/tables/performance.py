"""``performance``: each loan's reported month, with its default status."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import (
    AS_OF_DATE,
    ATTRIBUTES_FIT,
    DEFAULT_STATUS,
    DEFINITION,
    DELIVERY,
    KNOWN_ON,
    LINE,
    LOAN_ID,
    MONEY,
    QUALITY_FLAGS,
    SLICE,
    SOURCE,
    STATE,
    STATES,
    UPB,
    one_of,
)

ATTRIBUTES = (
    "numeric_attributes", "categorical_attributes", "date_attributes", "text_attributes", "attribute_roles",
)  # fmt: skip

PERFORMANCE = Table(
    name="performance",
    lease="tapes",
    description="One row for each loan and month reported, up to and including its exit",
    columns=(
        SOURCE,
        LOAN_ID,
        AS_OF_DATE,
        SLICE,
        DELIVERY,
        LINE,
        KNOWN_ON,
        Column("state", STATE.type, STATE.comment, required=True),
        Column(
            "months_delinquent", "INT", "Whole months past due (1 is 30 to 59 days); null where not reported"
        ),
        UPB,
        Column("rate", "DECIMAL(8,5)", "Current interest rate, percent a year"),
        Column("remaining_term", "INT", "Months to the contractual maturity"),
        Column("modified", "BOOLEAN", "Whether the loan has been modified up to this month"),
        Column("payment", MONEY, "Payment received in the month, currency of the tape"),
        Column(
            "statement",
            MONEY,
            "Statement balance billed in the month, revolving accounts, currency of the tape",
        ),
        Column(
            "credit_limit",
            MONEY,
            "Credit limit of a revolving account in the month, currency of the tape; null where not reported",
        ),
        Column("loss_event", "BOOLEAN", "Whether the row is a liquidation with loss", required=True),
        Column(
            "tape_outcome",
            "INT",
            "The tape's own outcome from this month on, 1 bad, 0 good; no feature reads it",
        ),
        QUALITY_FLAGS,
        Column(
            "numeric_attributes",
            "MAP<STRING,DOUBLE>",
            "The tape's own numeric attributes that change with the month, by name; null where it has none",
        ),
        Column("categorical_attributes", "MAP<STRING,STRING>", "Categorical ones, likewise"),
        Column("date_attributes", "MAP<STRING,DATE>", "Dates, likewise"),
        Column("text_attributes", "MAP<STRING,STRING>", "Texts, likewise"),
        Column(
            "attribute_roles",
            "MAP<STRING,STRING>",
            "Role of each: input, protected, monitoring, identifier or post_outcome",
        ),
        DEFAULT_STATUS,
        Column("default_episode", "INT", "Number of default entries up to this month", required=True),
        Column("default_entry", "BOOLEAN", "Whether a default episode begins in this month", required=True),
        Column(
            "default_exit", "BOOLEAN", "Whether a default episode ends in this month by cure", required=True
        ),
        DEFINITION,
    ),
    key=("source", "loan_id", "as_of_date"),
    partitions=("as_of_date",),
    constraints={
        "state_known": one_of("state", STATES),
        "month_end": "as_of_date = last_day(as_of_date)",
        "month_after_1970": "as_of_date >= DATE'1970-01-01'",
        "upb_not_negative": "upb IS NULL OR upb >= 0",
        "delinquency_not_negative": "months_delinquent IS NULL OR months_delinquent >= 0",
        "limit_not_negative": "credit_limit IS NULL OR credit_limit >= 0",
        **ATTRIBUTES_FIT,
    },
)
