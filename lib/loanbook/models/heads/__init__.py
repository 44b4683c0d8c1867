"""Heads, a module each, which holds a ``HEAD``."""

from typing import cast

from loanbook.models.by_name import module_of
from loanbook.models.head import Head


def head(name: str) -> Head:
    """Return the head of that name.

    Raises:
        InputError: there is none; the known ones are named.
    """
    return cast(Head, module_of(__name__, __path__, name, "a head", "head").HEAD)
