"""Heads, a module each, which holds a ``HEAD``."""

from typing import cast

from loanbook.models.by_name import module_of
from loanbook.models.head import Head


def head(name: str) -> Head:
    """Return the head of that name.

    Raises:
        InputError: there is none; the known ones are named.
        ValueError: the module's ``HEAD`` has another name than the module.
    """
    found = cast(Head, module_of(__name__, __path__, name, "a head", "head").HEAD)
    if found.name != name:
        raise ValueError(f"the HEAD of {__name__}.{name} must be named {name!r}, not {found.name!r}")
    return found
