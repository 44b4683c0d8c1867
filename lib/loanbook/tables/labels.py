"""``labels``: what happened within each horizon after each month, once the horizon has passed for every loan."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import AS_OF_DATE, DEFINITION, LOAN_ID, SOURCE, STATES, one_of

LABEL_STATUSES = ("observed", "in_default", "not_matured", "censored", "history_gap", "tape_outcome")

LABELS = Table(
    name="labels",
    description="One row for each loan in the book and month: fixed-horizon labels, null until matured",
    columns=(
        SOURCE,
        LOAN_ID,
        AS_OF_DATE,
        Column(
            "label_status",
            "STRING",
            "observed, in_default, not_matured, censored, history_gap or tape_outcome",
            required=True,
        ),
        Column(
            "default_12m",
            "INT",
            "1: default entered within 12 months; 0: not, prepaid and matured included; else null",
        ),
        Column("default_12m_regulatory", "INT", "The same, with loans removed without default counted as 0"),
        Column("next_state", "STRING", "State exactly one period later; null across a gap"),
        DEFINITION,
    ),
    key=("source", "loan_id", "as_of_date"),
    partitions=("as_of_date",),
    constraints={
        "status_known": one_of("label_status", LABEL_STATUSES),
        "label_binary": "default_12m IS NULL OR default_12m IN (0, 1)",
        "label_only_if_observed": "(label_status = 'observed') = (default_12m IS NOT NULL)",
        "next_state_known": one_of("next_state", STATES),
    },
)
