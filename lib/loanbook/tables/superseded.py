"""``superseded``: rows of performance that are not in force: what was known before, and may come back in force."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import one_of
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.terminations import TERMINATIONS

_EXIT = set(TERMINATIONS.filled_by("mapping")) - {*PERFORMANCE.column_names, "exit_reason"}

SUPERSEDED = Table(
    name="superseded",
    lease="tapes",
    description="One row for each row of performance that was read and is not in force; ingest reads it, and features with knowledge as_known",
    columns=(
        *(column for column in PERFORMANCE.columns if column.filled_by != "definition"),
        Column(
            "fate",
            "STRING",
            "superseded: by a later row of the loan's month; set_aside: it follows the loan's exit",
            required=True,
        ),
        Column("exit_reason", "STRING", "The tape's code of the exit; null on a live row"),
        *(column for column in TERMINATIONS.columns if column.name in _EXIT),
    ),
    key=("source", "delivery", "line", "loan_id", "as_of_date"),
    partitions=("source",),
    constraints={"fate_known": one_of("fate", ("superseded", "set_aside"))},
)
