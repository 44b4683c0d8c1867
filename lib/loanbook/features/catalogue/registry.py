"""The catalogue: every feature, defined once, in the order of the table's columns.

A new feature is one entry in its theme's module; a new theme is one module and its line in ``FEATURES``.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache

from loanbook.errors import InputError
from loanbook.features.catalogue import balance, delinquency, loan_terms, macro, neighbourhood, sequences
from loanbook.features.catalogue.feature import Feature
from loanbook.settings.section import nearest

__all__ = ["FEATURES", "Feature", "catalogue_id", "feature", "themes"]

FEATURES: tuple[Feature, ...] = (
    *delinquency.FEATURES,
    *loan_terms.FEATURES,
    *balance.FEATURES,
    *macro.FEATURES,
    *neighbourhood.FEATURES,
    *sequences.FEATURES,
)


def themes() -> list[str]:
    """Return the themes in their order.

    >>> themes()[:2]
    ['delinquency', 'loan_terms']
    """
    return list(dict.fromkeys(item.theme for item in FEATURES))


def feature(name: str) -> Feature:
    """Return the feature of that name.

    Raises:
        InputError: there is none; the nearest known name is given.

    >>> feature("mtm_ltv").unit, feature("mtm_ltv").known
    ('percent', 'publication')
    >>> try:
    ...     feature("mtm_ltvs")
    ... except InputError as error:
    ...     print(error.found)
    'mtm_ltvs' (did you mean 'mtm_ltv'?)
    """
    for item in FEATURES:
        if item.name == name:
            return item
    raise InputError(
        required="a feature of the catalogue",
        found=repr(name) + nearest(name, [item.name for item in FEATURES]),
        do="name one that exists",
    )


def require_each_once(features: Sequence[Feature]) -> None:
    """Refuse a catalogue with two definitions of one feature.

    Raises:
        InputError: names it and the themes that define it.

    >>> require_each_once([feature("ltv"), feature("dti")])
    >>> try:
    ...     require_each_once([feature("ltv"), feature("ltv")])
    ... except InputError as error:
    ...     print(error.found)
    ltv in the themes loan_terms, loan_terms
    """
    defined: dict[str, list[str]] = {}
    for item in features:
        defined.setdefault(item.name, []).append(item.theme)
    repeated = {name: themes for name, themes in defined.items() if len(themes) > 1}
    if repeated:
        raise InputError(
            required="one definition of each feature",
            found="; ".join(f"{name} in the themes {', '.join(where)}" for name, where in repeated.items()),
            do="rename or remove one of them",
        )


@cache
def catalogue_id() -> str:
    """Return 12 hex digits over every entry of the catalogue.

    An expression is no part of them: who changes what one gives raises the feature's ``revision``.

    Raises:
        InputError: two entries define the same feature.

    >>> len(catalogue_id())
    12
    """
    require_each_once(FEATURES)
    content = json.dumps([item.entry() for item in FEATURES], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]
