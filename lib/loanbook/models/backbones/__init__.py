"""Backbones: each module makes hidden units of the prepared inputs by ``build(prepared, settings, seed)``."""

import pkgutil
from importlib import import_module
from typing import Any, Protocol, cast

from loanbook.errors import InputError
from loanbook.settings.model import ModelSettings
from loanbook.settings.section import nearest


class Backbone(Protocol):
    """What a module of this package offers."""

    def build(self, prepared: Any, settings: ModelSettings, seed: int) -> Any:
        """Return the tensor that a head takes, of shape (rows, units)."""


def backbone(name: str) -> Backbone:
    """Return the backbone module of that name.

    Raises:
        InputError: there is none; the known ones are named.
    """
    known = [module.name for module in pkgutil.iter_modules(__path__)]
    if name not in known:
        raise InputError(
            required=f"a backbone: one of {', '.join(known)}",
            found=repr(name) + nearest(name, known),
            do="correct 'backbone' in the model's settings file",
        )
    return cast(Backbone, import_module(f"{__name__}.{name}"))
