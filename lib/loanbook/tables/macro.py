"""``macro``: economic series by region and month, each value with the day it became known."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import AS_OF_DATE, DELIVERY, KNOWN_ON, SOURCE, in_bounds

SERIES = ("unemployment", "mortgage_rate", "hpi")  # that features read

MACRO = Table(
    name="macro",
    lease="tapes",
    description="One row for each region, month, series and day it became known (revisions are rows of their own)",
    columns=(
        Column(
            "source",
            SOURCE.type,
            "Name of the macro source, as in conf/sources",
            required=True,
            filled_by="delivery",
        ),
        Column(
            "region",
            "STRING",
            "US, or a state's two letters",
            required=True,
            filled_by="mapping",
            read_by=("features",),
        ),
        AS_OF_DATE,
        Column(
            "series",
            "STRING",
            "unemployment (percent), hpi (index), mortgage_rate (percent a year) and what else a mapping names",
            required=True,
            filled_by="mapping",
            read_by=("features",),
        ),
        KNOWN_ON,
        Column(
            "value",
            "DOUBLE",
            "Value, in the unit of the series",
            required=True,
            filled_by="mapping",
            read_by=("features",),
        ),
        DELIVERY,
    ),
    key=("source", "region", "as_of_date", "series", "known_on"),
    partitions=("source",),
    constraints={
        "month_end": "as_of_date = last_day(as_of_date)",
        "known_after_month": "known_on >= as_of_date",
        "month_in_bounds": in_bounds("as_of_date"),
        "value_finite": "abs(value) < CAST('Infinity' AS DOUBLE)",
    },
)
