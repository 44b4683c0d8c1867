"""``quarantine``: every line that was rejected, as read, with every reason."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import DELIVERY, LINE, RUN_ID, SLICE, SOURCE

QUARANTINE = Table(
    name="quarantine",
    lease="tapes",
    description="One row for each rejected line, with its text and every reason",
    columns=(
        SOURCE,
        SLICE,
        DELIVERY,
        LINE,
        Column("file", "STRING", "Name of the file", required=True),
        Column(
            "kind",
            "STRING",
            "What the file holds: loans, performance, macro, or the name of a lookup",
            required=True,
        ),
        Column("text", "STRING", "The line as read", required=True),
        Column("reasons", "ARRAY<STRING>", "Names of every check that it failed", required=True),
        Column(
            "rows",
            "INT",
            "Rows of the line that are in quarantine, as deliveries counts them: one, unless the mapping makes "
            "several; 0 where the row is published and only the loan's terms or some values are not",
            required=True,
        ),
        RUN_ID,
    ),
    key=("source", "delivery", "line"),
    partitions=("source",),
    constraints={"has_reason": "size(reasons) > 0"},
)
