"""``terminations``: how each loan left the book; never readable by features."""

from functools import partial

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import (
    AS_OF_DATE,
    DELIVERY,
    KNOWN_ON,
    LINE,
    LOAN_ID,
    MONEY,
    SLICE,
    SOURCE,
    STATES,
    TERMINAL_STATES,
    UPB,
    in_bounds,
    one_of,
)

_reported = partial(Column, filled_by="mapping")

TERMINATIONS = Table(
    name="terminations",
    lease="tapes",
    description="One row for each loan that left the book: how, from which state, with what loss",
    columns=(
        SOURCE,
        LOAN_ID,
        AS_OF_DATE,
        SLICE,
        DELIVERY,
        LINE,
        KNOWN_ON,
        _reported(
            "state", "STRING", "Terminal state: prepaid, matured, liquidated or removed", required=True
        ),
        _reported("exit_reason", "STRING", "The tape's code of the exit", required=True),
        Column(
            "state_before_exit", "STRING", "State of the last month before the exit; null for a first row"
        ),
        _reported("upb_at_exit", UPB.type, "Balance removed at the exit, currency of the tape"),
        _reported("zero_balance_date", "DATE", "Date the balance became zero, as the tape gives it"),
        _reported("disposition_date", "DATE", "Date of disposition of the property"),
        _reported("net_sale_proceeds", MONEY, "Net sale proceeds, currency of the tape"),
        _reported("expenses", MONEY, "Expenses of foreclosure and holding, currency of the tape"),
        _reported("mi_recoveries", MONEY, "Mortgage insurance recoveries, currency of the tape"),
        _reported("other_recoveries", MONEY, "Other recoveries, currency of the tape"),
        _reported(
            "actual_loss", MONEY, "Loss as the tape states it, currency of the tape, positive is a loss"
        ),
    ),
    key=("source", "loan_id"),
    partitions=("source",),
    constraints={
        "state_terminal": one_of("state", TERMINAL_STATES),
        "state_before_known": one_of("state_before_exit", STATES),
        "zero_balance_in_bounds": in_bounds("zero_balance_date"),
        "disposition_in_bounds": in_bounds("disposition_date"),
    },
)
