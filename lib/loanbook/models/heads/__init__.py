"""Heads: each module holds a ``HEAD``, what is predicted and from which label."""

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from loanbook.errors import InputError
from loanbook.section import nearest


@dataclass(frozen=True)
class Head:
    """A binary outcome within a fixed horizon.

    Its output is one unit through a sigmoid, its loss weighted binary cross-entropy. Undersampling keeps
    every positive row and thins negative ones, which get the weight 1/share.

    Args:
        label: column of the labels table, 0 or 1, null where it must not be used.
        horizon_months: months from the row to the end of its label.
        output: column of the scores that it fills.
    """

    name: str
    label: str
    horizon_months: int
    output: str


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
