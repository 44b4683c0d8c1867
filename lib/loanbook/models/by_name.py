"""Finds the module of a package that a settings file names: a backbone, a head, a baseline."""

import pkgutil
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType

from loanbook.errors import InputError
from loanbook.settings.choice import Choice
from loanbook.settings.section import Section, nearest, validated


def known_modules(path: Iterable[str]) -> list[str]:
    """Return the names of a package's modules, in alphabetical order; one that begins with _ is a helper."""
    return sorted(item.name for item in pkgutil.iter_modules(path) if not item.name.startswith("_"))


def module_of(package: str, path: Iterable[str], name: str, what: str, key: str) -> ModuleType:
    """Return the module ``name`` of a package.

    Args:
        package: its name.
        path: its ``__path__``.
        name: as the settings say it.
        what: what the module is, such as "a backbone".
        key: the setting that says it.

    Raises:
        InputError: there is none; the known ones are named.
    """
    known = known_modules(path)
    if name not in known:
        raise InputError(
            required=f"{what}: one of {', '.join(known)}",
            found=repr(name) + nearest(name, known),
            do=f"correct {key!r} in the settings",
        )
    return import_module(f"{package}.{name}")


def own_settings(module: ModuleType, choice: Choice, what: str) -> Section:
    """Return the settings beside a module's name as its own ``Settings``.

    Raises:
        InputError: the module has no such setting.
    """
    settings: Section = validated(module.Settings, choice.own, f"settings of the {what} {choice.name!r}")
    return settings
