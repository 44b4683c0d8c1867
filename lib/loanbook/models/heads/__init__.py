"""Heads: each module holds a ``HEAD``, what is predicted and from which label."""

import pkgutil
from dataclasses import dataclass, replace
from importlib import import_module
from typing import cast

from loanbook.book.tape_kind import Outcome
from loanbook.errors import InputError
from loanbook.settings.section import nearest
from loanbook.tables.labels import MAIN_HORIZON, status_column

TAPE_OUTCOME = "tape_outcome"  # label status of rows that the tape labels itself


@dataclass(frozen=True)
class Head:
    """A binary outcome within a horizon.

    Its output is one unit through a sigmoid, its loss weighted binary cross-entropy. Undersampling keeps
    every positive row and thins negative ones, which get the weight 1/share.

    Args:
        label: column of the labels table, 0 or 1, null where it must not be used.
        labelled: the label status of the rows that have it.
        horizon_months: months from the row to the end of its label; None: up to the loan's maturity.
        outputs: columns of the scores that it fills.
        event: what is predicted, in words.
    """

    name: str
    label: str
    labelled: str
    horizon_months: int | None
    outputs: tuple[str, ...]
    event: str

    @property
    def is_of_tape(self) -> bool:
        """Return whether the tape itself says what counts as bad."""
        return self.labelled == TAPE_OUTCOME

    @property
    def status(self) -> str:
        """Return the column of labels that holds the label status."""
        fixed = MAIN_HORIZON if self.is_of_tape else self.horizon_months
        return status_column(fixed or 0)

    def of_tape(self, outcome: Outcome | None) -> "Head":
        """Return the head with the horizon that the tape declares, where its outcome is what is predicted.

        A probability within 12 months fills ``pd_12m`` too.
        """
        if not self.is_of_tape or outcome is None:
            return self
        months = None if outcome.horizon_months == "to_maturity" else outcome.horizon_months
        outputs = (*self.outputs, "pd_12m") if months == MAIN_HORIZON else self.outputs
        return replace(self, horizon_months=months, outputs=outputs, event=str(outcome))


def head(name: str) -> Head:
    """Return the head of that name.

    Raises:
        InputError: there is none; the known ones are named.
    """
    known = [module.name for module in pkgutil.iter_modules(__path__)]
    if name not in known:
        raise InputError(
            required=f"a head: one of {', '.join(known)}",
            found=repr(name) + nearest(name, known),
            do="correct 'head' in the model's settings file",
        )
    return cast(Head, import_module(f"{__name__}.{name}").HEAD)
