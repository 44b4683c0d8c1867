"""Why a query was refused: what is not there yet is told with the job that makes it."""

import re
from collections.abc import Sequence

from loanbook.errors import InputError
from loanbook.sql.view_definitions import VIEWS

MADE_BY = {
    **dict.fromkeys(
        ("deliveries", "loans", "performance", "superseded", "terminations", "quarantine"), "ingest-tapes"
    ),
    "macro": "ingest-macro",
    **dict.fromkeys(("features", "feature_state", "neighbourhood"), "build-features"),
    **dict.fromkeys(("labels", "outcomes"), "build-labels"),
    **dict.fromkeys(("predictions", "evaluations"), "evaluate-model"),
    **dict.fromkeys(("scores", *VIEWS), "score-portfolio"),
}
ONCE = {"superseded": "; it is there once a row was superseded or set aside"}
UNKNOWN_TABLE = re.compile(r"Table with name \"?(\w+)\"? does not exist")


def refusal(message: str, tables: Sequence[str], views: Sequence[str]) -> InputError:
    """Return what DuckDB's ``message`` means to one who asks: a table that is not there yet comes from a job.

    Args:
        message: DuckDB's own.
        tables: that are there.
        views: that are there.

    >>> refusal("Table with name labels does not exist!", ["loans", "runs"], ["run_history"]).do
    'run build-labels first'
    >>> refusal("Table with name lables does not exist!", ["loans", "runs"], ["run_history"]).do
    'correct the query'
    """
    unknown = UNKNOWN_TABLE.search(message)
    name = unknown[1].lower() if unknown else ""
    if name in MADE_BY and name not in (*tables, *views):
        return InputError(
            required=f"{name}, which {MADE_BY[name]} makes",
            found=f"only the tables {', '.join(tables)} and the views {', '.join(views)} in this warehouse",
            do=f"run {MADE_BY[name]} first" + ONCE.get(name, ""),
        )
    return InputError(
        required=f"a query over the tables {', '.join(tables)} or the views {', '.join(views)}",
        found=" ".join(message.split()),
        do="correct the query",
    )
