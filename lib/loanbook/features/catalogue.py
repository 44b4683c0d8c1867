"""The catalogue: every feature, defined once, in the order of the table's columns.

A new feature is one entry in its theme's module; a new theme is one module and one line in ``THEMES``.
"""

import hashlib
import json
from dataclasses import asdict
from functools import cache

from loanbook.errors import InputError
from loanbook.features import balance, delinquency, loan_terms, macro
from loanbook.features.feature import Feature, Theme
from loanbook.section import nearest

__all__ = ["FEATURES", "THEMES", "Feature", "catalogue_id", "feature"]

# In this order: loan terms complete what balance and macro read.
THEMES: tuple[Theme, ...] = (delinquency.THEME, loan_terms.THEME, balance.THEME, macro.THEME)

FEATURES: tuple[Feature, ...] = tuple(item for theme in THEMES for item in theme.features)


def feature(name: str) -> Feature:
    """Return the feature of that name.

    Raises:
        InputError: there is none; the nearest known name is given.
    """
    for item in FEATURES:
        if item.name == name:
            return item
    raise InputError(
        required="a feature of the catalogue",
        found=repr(name) + nearest(name, [item.name for item in FEATURES]),
        do="name one that exists",
    )


@cache
def catalogue_id() -> str:
    """Return 12 hex digits over every entry of the catalogue."""
    content = json.dumps([asdict(item) for item in FEATURES], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]
