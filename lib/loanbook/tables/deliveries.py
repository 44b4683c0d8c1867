"""``deliveries``: every file that was ingested, replaced slice by slice."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import DELIVERY, MONEY, RUN_ID, SLICE, SOURCE, one_of

DELIVERIES = Table(
    name="deliveries",
    description="One row for each file delivered by a source, with its totals",
    columns=(
        SOURCE,
        DELIVERY,
        SLICE,
        Column("file", "STRING", "Name of the file (member of its archive)", required=True),
        Column("kind", "STRING", "What the file holds: loans, performance or macro", required=True),
        Column("sha256", "STRING", "SHA-256 of the file as delivered, hexadecimal", required=True),
        Column("delivered_at", "DATE", "Day of delivery: given, or read from the file's name, else null"),
        Column(
            "scope", "STRING", "full: an absent row is gone; delta: rows are added or replaced", required=True
        ),
        Column("period_months", "INT", "Months between two reports of a loan (1 or 3)", required=True),
        Column("slice_holds", "STRING", "cohorts: some loans, all months; months: all loans", required=True),
        Column("last_complete_month", "DATE", "Last reporting month of the slice, as its last day"),
        Column("is_open", "BOOLEAN", "Whether loans were live in that month, so that later ones must follow"),
        Column("lines", "BIGINT", "Data lines in the file", required=True),
        Column("published", "BIGINT", "Lines published", required=True),
        Column("quarantined", "BIGINT", "Lines in quarantine", required=True),
        Column("superseded", "BIGINT", "Lines replaced by a later one of the same key", required=True),
        Column("set_aside", "BIGINT", "Lines after a loan's exit, or of no loan month", required=True),
        Column("upb", MONEY, "Total unpaid principal balance of the published lines, currency of the tape"),
        RUN_ID,
    ),
    key=("source", "delivery"),
    constraints={
        "scope_known": one_of("scope", ("full", "delta")),
        "slice_holds_known": one_of("slice_holds", ("cohorts", "months")),
        "lines_reconcile": "lines = published + quarantined + superseded + set_aside",
    },
)
