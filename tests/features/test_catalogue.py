"""The catalogue: one entry a feature, complete, and the table made from it."""

from dataclasses import replace

import pytest

from loanbook.errors import InputError
from loanbook.features import catalogue
from loanbook.features.catalogue import FEATURES as CATALOGUE
from loanbook.features.catalogue import THEMES, catalogue_id, feature
from loanbook.tables.features import FEATURES


def test_names_are_unique_and_every_entry_is_a_column() -> None:
    names = [item.name for item in CATALOGUE]
    assert len(set(names)) == len(names)
    assert set(names) <= set(FEATURES.column_names)
    types = {column.name: column.type for column in FEATURES.columns}
    assert {item.name: types[item.name] for item in CATALOGUE} == {item.name: item.type for item in CATALOGUE}


def test_every_entry_can_be_explained_to_a_borrower() -> None:
    for item in CATALOGUE:
        assert item.description, item.name
        assert item.unit, item.name
        assert item.reason_code, item.name
        assert item.reason_text, item.name
        assert (item.kind == "categorical") == (item.type == "STRING"), item.name


def test_the_vintage_is_no_input_by_default() -> None:
    assert [item.name for item in CATALOGUE if not item.default_input] == ["vintage"]


def test_feature_finds_an_entry_and_names_the_nearest() -> None:
    assert feature("mtm_ltv").theme == "macro"
    with pytest.raises(InputError, match="did you mean 'mtm_ltv'"):
        feature("mtm_ltw")


def test_the_id_changes_with_any_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalogue_id()
    changed = (replace(CATALOGUE[0], description="other"), *CATALOGUE[1:])
    monkeypatch.setattr(catalogue, "FEATURES", changed)
    catalogue_id.cache_clear()
    after = catalogue_id()
    catalogue_id.cache_clear()
    assert len(before) == 12
    assert before != after


def test_a_theme_holds_only_its_own_features() -> None:
    assert all(len({item.theme for item in theme.features}) == 1 for theme in THEMES)
