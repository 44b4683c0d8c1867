"""The catalogue: one entry a feature, complete, and the table made from it."""

import re
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


UNITS = {
    "months", "month of the year", "YYYYQn", "ratio", "ratio to the amount at origination", "percent",
    "percent a year", "percent of the loss", "percentage points", "points", "currency of the tape", "name",
    "state", "0 or 1", "reports", "episodes", "events a loan-year", "dwellings", "persons",
}  # fmt: skip
CODED = re.compile(r"0 [a-z ]+(, [1-9] [a-z0-9]+)+")  # numbers that stand for states


def test_every_entry_can_be_explained_to_a_borrower() -> None:
    names = {item.name for item in CATALOGUE if "_" in item.name}
    for item in CATALOGUE:
        text = item.reason_text
        assert re.fullmatch(r"[A-Z][A-Za-z0-9' -]*[a-z0-9]", text), (item.name, text)
        assert not any(name in text for name in names), (item.name, text)
        assert re.fullmatch(r"[A-Z][A-Z0-9]{2,3}", item.reason_code), item.name
        assert item.unit in UNITS or CODED.fullmatch(item.unit), item.name
        assert item.description == " ".join(item.description.split()), item.name
        window = re.search(r"_(\d+)m$", item.name)
        assert window is None or re.search(rf"\b{window[1]} (calendar )?months", item.description), item.name


def test_ranges_fit_their_units_and_windows() -> None:
    for item in CATALOGUE:
        bounds = [bound for bound in (item.low, item.high) if bound is not None]
        assert bounds == sorted(bounds), item.name
        assert (item.unit == "0 or 1") == ((item.low, item.high) == (0, 1) and item.type == "INT"), item.name
        if re.match(r"months_(observed|\d+plus)_", item.name):
            assert (item.low, item.high) == (0, int(item.name.rsplit("_", 1)[1][:-1])), item.name


def test_features_share_a_reason_code_only_where_a_window_tells_them_apart() -> None:
    kinds: dict[str, set[str]] = {}
    for item in CATALOGUE:
        kind = item.theme if item.kind == "sequence" else re.sub(r"_\d+m$", "", item.name)
        kinds.setdefault(item.reason_code, set()).add(kind)
    assert {code: of for code, of in kinds.items() if len(of) > 1} == {}


def test_the_type_of_an_entry_is_that_of_its_kind() -> None:
    for item in CATALOGUE:
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
