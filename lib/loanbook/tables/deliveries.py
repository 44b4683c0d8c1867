"""``deliveries``: every file that was ingested, replaced slice by slice."""

from functools import partial

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import DELIVERY, RUN_ID, SLICE, SOURCE, one_of

TOTAL = "DECIMAL(22,2)"

_of_tape = partial(Column, filled_by="mapping", read_by=("features",))
_tally = partial(Column, filled_by="tally", read_by=("runs",))

DELIVERIES = Table(
    name="deliveries",
    lease="tapes",
    description="One row for each file ever delivered by a source, with what became of its rows",
    columns=(
        SOURCE,
        DELIVERY,
        SLICE,
        Column(
            "file", "STRING", "Name of the file (member of its archive)", required=True, read_by=("runs",)
        ),
        Column(
            "kind",
            "STRING",
            "What the file holds: loans, performance, macro, or the name of a lookup",
            required=True,
            read_by=("features", "runs"),
        ),
        Column("sha256", "STRING", "SHA-256 of the file as delivered, hexadecimal", required=True),
        Column("delivered_at", "DATE", "Day of delivery: given, or read from the file's name, else null"),
        Column(
            "scope", "STRING", "full: an absent row is gone; delta: rows are added or replaced", required=True
        ),
        _of_tape("period_months", "INT", "Months between two reports of a loan (1 or 3)", required=True),
        _of_tape(
            "slice_holds", "STRING", "cohorts: some loans, all months; months: all loans", required=True
        ),
        Column(
            "last_complete_month",
            "DATE",
            "Last reporting month of the slice, as its last day",
            read_by=("features",),
        ),
        Column(
            "is_open",
            "BOOLEAN",
            "Whether loans were live in that month, so that later ones must follow",
            read_by=("features",),
        ),
        Column("lines", "BIGINT", "Data lines in the file", required=True, read_by=("runs",)),
        Column(
            "rows",
            "BIGINT",
            "Rows made of the lines: one each, unless the mapping makes several",
            required=True,
            read_by=("runs",),
        ),
        _tally("published", "BIGINT", "Rows published", required=True),
        _tally("quarantined", "BIGINT", "Rows in quarantine", required=True),
        _tally(
            "superseded", "BIGINT", "Rows replaced by a later one of the same key, or delivery", required=True
        ),
        _tally("set_aside", "BIGINT", "Rows after a loan's exit, or of no loan month", required=True),
        Column("erased", "BIGINT", "Rows of loans that were erased from every table", required=True),
        _tally("delinquent", "BIGINT", "Rows published in a state from dpd30 to reo", required=True),
        _tally(
            "upb_read",
            TOTAL,
            "Unpaid principal balance of all rows, where it could be read, currency of the tape",
        ),
        _tally("upb", TOTAL, "Unpaid principal balance of the rows published, currency of the tape"),
        _tally("upb_quarantined", TOTAL, "The same of the rows in quarantine, where it could be read"),
        _tally("upb_superseded", TOTAL, "The same of the rows superseded"),
        _tally("upb_set_aside", TOTAL, "The same of the rows set aside"),
        Column("upb_erased", TOTAL, "The same of the rows erased"),
        _of_tape("history", "STRING", "reported, or rebuilt from a final status", required=True),
        _of_tape(
            "sampling",
            "STRING",
            "population, or case_control: loans drawn by what became of them",
            required=True,
        ),
        _of_tape(
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
