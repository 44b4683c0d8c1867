"""``feature_state``: what the features of a source's next month need of the months before it."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import AS_OF_DATE, LOAN_ID, SOURCE

FEATURE_STATE = Table(
    name="feature_state",
    lease="features",
    description="One row for each loan that has not left, after the last month of features; read by build-features only",
    columns=(
        SOURCE,
        LOAN_ID,
        AS_OF_DATE,
        Column("core", "BINARY", "Packed record: histories, counters and the last months' balances (features/saved_state.py)", required=True),
        Column("payments", "BINARY", "Packed record of the last months' payments and limits; null where the tape has none"),
        Column("flags", "STRING", "Names of the checks that the last report failed and was kept, joined by commas", required=True),
        Column("own_numeric", "MAP<STRING,DOUBLE>", "The tape's own numeric attributes that change with the month, as last known"),
        Column("own_categorical", "MAP<STRING,STRING>", "Categorical ones"),
        Column("own_text", "MAP<STRING,STRING>", "Text ones"),
        Column("layout", "STRING", "Hash of the layout of the packed records", required=True),
    ),
    key=("source", "loan_id"),
    partitions=("source",),
)  # fmt: skip
