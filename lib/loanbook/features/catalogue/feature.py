"""What a feature of the catalogue is."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from loanbook.features.engine.values import Values

if TYPE_CHECKING:
    from loanbook.features.engine.month_view import Known

Expression = Callable[["Known"], Values | pa.Array]


@dataclass(frozen=True)
class Feature:
    """One feature of a loan at a month: its definition and, beside it, its expression.

    Args:
        compute: its expression: the values of a month's rows, from what is known of them at the month's end.
        type: Spark SQL type of its column.
        known: since when its inputs are known: ``origination``, the ``report`` of the month or one before,
            or the ``publication`` of a series, by its lag.
        low: least value that it can have; None: no bound.
        high: greatest value.
        actionable: whether the borrower or the lender can still change it.
        expected_sign: of its effect on the default probability; ``?`` where none is expected.
        roll_forward: what a projection does with it: ``static`` keeps it, ``deterministic`` moves it with the
            calendar and the contract, ``macro`` reads a macro path, ``path`` follows the projected states.
        log: whether a network takes log(1 + x).
        default_input: whether a model takes it unless told otherwise.
        revision: raised by one whenever the expression gives other values, so that the catalogue's id
            changes.
    """

    name: str
    kind: Literal["numeric", "categorical", "sequence", "text"]
    type: str
    unit: str
    description: str
    theme: str
    reason_code: str
    reason_text: str
    actionable: bool
    expected_sign: Literal["+", "-", "?"]
    roll_forward: Literal["static", "deterministic", "macro", "path"]
    known: Literal["origination", "report", "publication"]
    compute: Expression
    low: float | None = None
    high: float | None = None
    log: bool = False
    default_input: bool = True
    revision: int = 1

    def entry(self) -> dict[str, Any]:
        """Return the definition without the expression, which has no text that could be compared."""
        return {name: value for name, value in asdict(self).items() if name != "compute"}
