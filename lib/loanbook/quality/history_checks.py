"""Checks of a month against the loan's month before: the row is kept and flagged.

They look back only: a row that arrives later never changes an earlier row's flags.
"""

from collections.abc import Mapping
from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.tables.columns import TERMINAL_STATES
from loanbook.tables.performance import PERFORMANCE

HistoryCheck = Literal["gap", "state_jump", "balance_rise", "conflicting_rows"]
Severity = Literal["off", "flag", "halt"]
NAMES: tuple[HistoryCheck, ...] = ("gap", "state_jump", "balance_rise")  # of a month and the one before
CONFLICTING: HistoryCheck = "conflicting_rows"  # of a row and others of its file with the same loan and month
READ = ("as_of_date", *PERFORMANCE.read_by("history_checks"))  # what the checks compare
AT_LEAST = {"current": 0, "inactive": 0, "dpd30": 1, "dpd60": 2, "dpd90": 3, "foreclosure": 3, "reo": 3}
AT_MOST = {"current": 0, "inactive": 0, "dpd30": 1, "dpd60": 2}  # months past due; the others have no bound

_FLAGS: Mapping[HistoryCheck, Severity] = {"gap": "flag", "state_jump": "flag", CONFLICTING: "flag"}
# A revolving balance rises with every purchase.
DEFAULTS: Mapping[str, Mapping[HistoryCheck, Severity]] = {
    "mortgage": {**_FLAGS, "balance_rise": "flag"},
    "personal": {**_FLAGS, "balance_rise": "flag"},
    "card": {**_FLAGS, "balance_rise": "off"},
}


def history_conditions(before: str, period_months: int) -> dict[HistoryCheck, Column]:
    """Return the condition of each check of ``NAMES``; on a loan's first row all are null.

    - ``gap``: a report is missing in between.
    - ``state_jump``: the delinquency grew by more months than have passed, or a live loan left ``reo``.
      Months delinquent are the tape's own, or else the fewest that the state now and the most that the state
      before can mean.
    - ``balance_rise``: the balance of a live loan rose, and it was not modified since the row before.

    Args:
        before: name of a struct column with the columns ``READ`` of the loan's row before.
        period_months: months between two reports.
    """
    elapsed = F.months_between(
        F.trunc("as_of_date", "month"), F.trunc(F.col(f"{before}.as_of_date"), "month")
    )
    live = ~F.col("state").isin(*TERMINAL_STATES)
    modified_since = F.coalesce(
        F.col("modified") & ~F.coalesce(F.col(f"{before}.modified"), F.lit(False)), F.lit(False)
    )
    was = F.col(before)
    now_late = F.coalesce("months_delinquent", _of_state(F.col("state"), AT_LEAST))
    was_late = F.coalesce(was["months_delinquent"], _of_state(was["state"], AT_MOST))
    left_reo = (was["state"] == "reo") & (F.col("state") != "reo")
    return {
        "gap": elapsed > period_months,
        "state_jump": live & ((now_late - was_late > elapsed) | left_reo),
        "balance_rise": live & (F.col("upb") > F.col(f"{before}.upb")) & ~modified_since,
    }


def _of_state(state: Column, months: Mapping[str, int]) -> Column:
    pairs = [F.lit(part) for pair in months.items() for part in pair]
    return F.try_element_at(F.create_map(*pairs), state)


def severities(product: str, given: Mapping[HistoryCheck, Severity]) -> dict[HistoryCheck, Severity]:
    """Return what follows from each check: as the mapping says, else what suits the product.

    A revolving balance rises with every purchase, so a card's is not checked unless the mapping asks for it:

    >>> severities("card", {"gap": "halt"})
    {'gap': 'halt', 'state_jump': 'flag', 'conflicting_rows': 'flag', 'balance_rise': 'off'}
    """
    return {**DEFAULTS[product], **given}
