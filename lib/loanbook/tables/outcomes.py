"""``outcomes``: the event that ended each spell at risk, without a horizon."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import DEFINITION, LOAN_ID, SOURCE, one_of

OUTCOMES = Table(
    name="outcomes",
    lease="labels",
    description="One row for each spell of a loan at risk of default: how it ended and when",
    columns=(
        SOURCE,
        LOAN_ID,
        Column("episode", "INT", "Number of the spell, from 1; a cure begins the next", required=True),
        Column("at_risk_from", "DATE", "First month of the spell, as its last day", required=True),
        Column(
            "event", "STRING", "default, prepaid, matured, removed or none (still at risk)", required=True
        ),
        Column("event_date", "DATE", "First month the event was observed in, as its last day; null for none"),
        Column(
            "event_month_lower",
            "DATE",
            "Month before which the event cannot have happened (the last one observed), as its last day",
        ),
        Column("last_observed_date", "DATE", "Last month of the spell that was observed", required=True),
        DEFINITION,
    ),
    key=("source", "loan_id", "episode"),
    partitions=("source",),
    constraints={"event_known": one_of("event", ("default", "prepaid", "matured", "removed", "none"))},
)
