"""``neighbourhood``: how many loans of a cell were at risk, defaulted and prepaid in a month, as it was known."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import AS_OF_DATE, DEFINITION, SOURCE, one_of

KINDS = ("nation", "region", "zip3", "vintage")
COUNTS = ("at_risk", "defaults", "prepaid")

NEIGHBOURHOOD = Table(
    name="neighbourhood",
    lease="features",
    description="One row for each cell and month, and one more for each later count that differs, known from the next month to build",
    columns=(
        SOURCE,
        Column("kind", "STRING", "nation (the whole source), region, zip3 or vintage", required=True),
        Column("cell", "STRING", "The region, postal digits or quarter; all for the nation", required=True),
        AS_OF_DATE,
        Column("known_on", "DATE", "Day from which the count is used: the month's end, or the end of the month in which it was counted again", required=True),
        Column("at_risk", "BIGINT", "Loans reported as performing, or that entered default or repaid in the month", required=True),
        Column("defaults", "BIGINT", "Of these, loans that entered default in the month", required=True),
        Column("prepaid", "BIGINT", "Of these, loans that repaid their balance in the month without entering default", required=True),
        DEFINITION,
        Column("knowledge", "STRING", "latest or as_known, as in features", required=True),
        Column("rule", "INT", "Revision of the rule by which reports are counted", required=True),
    ),
    key=("source", "kind", "cell", "as_of_date", "known_on"),
    partitions=("source",),
    constraints={
        "kind_known": one_of("kind", KINDS),
        "month_end": "as_of_date = last_day(as_of_date)",
        "known_after_month": "known_on >= as_of_date",
        "events_at_risk": "defaults >= 0 AND prepaid >= 0 AND defaults + prepaid <= at_risk",
    },
)  # fmt: skip
