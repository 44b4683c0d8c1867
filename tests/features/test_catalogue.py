"""The catalogue: one entry a feature, complete, and the table made from it."""

from dataclasses import replace

import pytest

from loanbook.errors import InputError
from loanbook.features.catalogue import registry as catalogue
from loanbook.features.catalogue.registry import FEATURES as CATALOGUE
from loanbook.features.catalogue.registry import catalogue_id, feature, require_each_once
from loanbook.features.catalogue.table import FEATURES


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
        assert (item.kind == "sequence") == item.type.startswith("ARRAY"), item.name


OFF = ["calendar_month", "vintage", "state_last_12m", "upb_last_12m", "incentive_last_12m"]


def test_neither_calendar_nor_sequences_are_inputs_by_default() -> None:
    assert [item.name for item in CATALOGUE if not item.default_input] == OFF


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


def test_two_definitions_of_one_feature_are_refused() -> None:
    other = replace(CATALOGUE[0], theme="balance")
    with pytest.raises(InputError, match="state in the themes delinquency, balance"):
        require_each_once([*CATALOGUE, other])


def test_a_raised_revision_changes_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    before = catalogue_id()
    monkeypatch.setattr(catalogue, "FEATURES", (replace(CATALOGUE[0], revision=2), *CATALOGUE[1:]))
    catalogue_id.cache_clear()
    assert catalogue_id() != before
    catalogue_id.cache_clear()
