"""``features``: what was known of each loan in the book at each month; its columns come from the catalogue."""

from loanbook.features.catalogue.feature import Feature
from loanbook.features.catalogue.registry import FEATURES as CATALOGUE
from loanbook.tables.base import Column, Table
from loanbook.tables.columns import (
    AS_OF_DATE,
    DEFAULT_STATUS,
    DEFINITION,
    LOAN_ID,
    SOURCE,
    STATE,
    UPB,
    one_of,
)

_FIXED = (
    SOURCE,
    LOAN_ID,
    AS_OF_DATE,
    Column("reported", "BOOLEAN", "Whether the loan was reported in this month", required=True),
    Column("months_since_report", "INT", "Calendar months since the loan was last reported; 0 in a reported month", required=True),
    DEFAULT_STATUS,
    Column("state", STATE.type, "State last reported: current, dpd30, dpd60, dpd90, foreclosure, reo or inactive", required=True),
    Column("upb", UPB.type, "Unpaid principal balance last reported, currency of the tape"),
    Column("vintage", "STRING", "Quarter of origination, YYYYQn"),
    Column("region", "STRING", "Region of the loan"),
)  # fmt: skip

_INPUTS = (
    Column("numeric_inputs", "MAP<STRING,DOUBLE>", "The tape's own numeric attributes with role input, by name"),
    Column("categorical_inputs", "MAP<STRING,STRING>", "The tape's own categorical attributes with role input, by name"),
    Column("text_inputs", "MAP<STRING,STRING>", "The tape's own text attributes with role input, by name"),
    Column("quality_flags", "ARRAY<STRING>", "Names of the checks that the last report, or the loan's terms, failed and were kept", required=True),
    Column("knowledge", "STRING", "latest: from today's version of each month; as_known: from the versions known when the month was first reported", required=True),
    Column("catalogue_id", "STRING", "Hash of the feature catalogue that the row was built by", required=True),
    DEFINITION,
)  # fmt: skip


def _column(item: Feature) -> Column:
    return Column(item.name, item.type, f"{item.description} [{item.unit}]")


def _from_catalogue() -> tuple[Column, ...]:
    fixed = {column.name for column in _FIXED}
    return tuple(_column(item) for item in CATALOGUE if item.name not in fixed)


FEATURES = Table(
    name="features",
    description="One row for each loan in the book and month, reported or not: what was known then, nothing later",
    columns=(*_FIXED, *_from_catalogue(), *_INPUTS),
    key=("source", "loan_id", "as_of_date"),
    partitions=("as_of_date",),
    constraints={
        "month_end": "as_of_date = last_day(as_of_date)",
        "status_known": one_of("default_status", ("performing", "in_default", "probation")),
        "not_stale_if_reported": "reported = (months_since_report = 0)",
    },
)
