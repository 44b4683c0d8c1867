"""``deliveries``: every file that was ingested, replaced slice by slice."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import DELIVERY, RUN_ID, SLICE, SOURCE, one_of

TOTAL = "DECIMAL(22,2)"

DELIVERIES = Table(
    name="deliveries",
    lease="tapes",
    description="One row for each file ever delivered by a source, with what became of its rows",
    columns=(
        SOURCE,
        DELIVERY,
        SLICE,
        Column("file", "STRING", "Name of the file (member of its archive)", required=True),
        Column(
            "kind",
            "STRING",
            "What the file holds: loans, performance, macro, or the name of a lookup",
            required=True,
        ),
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
        Column(
            "rows",
            "BIGINT",
            "Rows made of the lines: one each, unless the mapping makes several",
            required=True,
        ),
        Column("published", "BIGINT", "Rows published", required=True),
        Column("quarantined", "BIGINT", "Rows in quarantine", required=True),
        Column(
            "superseded", "BIGINT", "Rows replaced by a later one of the same key, or delivery", required=True
        ),
        Column("set_aside", "BIGINT", "Rows after a loan's exit, or of no loan month", required=True),
        Column("erased", "BIGINT", "Rows of loans that were erased from every table", required=True),
        Column("delinquent", "BIGINT", "Rows published in a state from dpd30 to reo", required=True),
        Column(
            "upb_read",
            TOTAL,
            "Unpaid principal balance of all rows, where it could be read, currency of the tape",
        ),
        Column("upb", TOTAL, "Unpaid principal balance of the rows published, currency of the tape"),
        Column("upb_quarantined", TOTAL, "The same of the rows in quarantine, where it could be read"),
        Column("upb_superseded", TOTAL, "The same of the rows superseded"),
        Column("upb_set_aside", TOTAL, "The same of the rows set aside"),
        Column("upb_erased", TOTAL, "The same of the rows erased"),
        Column("history", "STRING", "reported, or rebuilt from a final status", required=True),
        Column(
            "sampling",
            "STRING",
            "population, or case_control: loans drawn by what became of them",
            required=True,
        ),
        Column(
            "outcome", "STRING", "The tape's own outcome: definition, horizon and grain, as JSON; else null"
        ),
        RUN_ID,
    ),
    key=("source", "delivery"),
    partitions=("source",),
    constraints={
        "scope_known": one_of("scope", ("full", "delta")),
        "history_known": one_of("history", ("reported", "rebuilt")),
        "sampling_known": one_of("sampling", ("population", "case_control")),
        "slice_holds_known": one_of("slice_holds", ("cohorts", "months")),
        "rows_reconcile": "rows = published + quarantined + superseded + set_aside + erased",
        "upb_reconciles": "COALESCE(upb_read, 0) = COALESCE(upb, 0) + COALESCE(upb_quarantined, 0) "
        "+ COALESCE(upb_superseded, 0) + COALESCE(upb_set_aside, 0) + COALESCE(upb_erased, 0)",
    },
)
