"""Heads, a module each, which holds a ``HEAD``."""

from typing import cast

from loanbook.models.by_name import module_of
from loanbook.models.head import Head
from loanbook.settings.choice import Choice
from loanbook.settings.section import Section, validated


def head(chosen: str | Choice) -> Head:
    """Return the head of a name, with the settings that stand beside it.

    Raises:
        InputError: there is none, or it has no such setting; the known ones are named.
        ValueError: the module's ``HEAD`` has another name than the module.
    """
    choice = Choice(name=chosen) if isinstance(chosen, str) else chosen
    module = module_of(__name__, __path__, choice.name, "a head", "head")
    found = cast(Head, module.HEAD)
    if found.name != choice.name:
        raise ValueError(f"the HEAD of {module.__name__} must be named {choice.name!r}, not {found.name!r}")
    kind: type[Section] = getattr(module, "Settings", Section)
    return found.with_settings(validated(kind, choice.own, f"settings of the head {choice.name!r}"))
