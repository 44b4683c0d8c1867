"""Mapping files: what is refused before anything runs."""

import copy
from pathlib import Path

import pytest

from loanbook.errors import InputError
from loanbook.section import validated
from loanbook.sources.macro_mapping import MacroMapping
from loanbook.sources.mapping import TapeMapping, load_mapping
from tests.sources.tapes import MONTHLY_FEED

SOURCES = Path(__file__).parents[2] / "conf" / "sources"


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_is_valid_and_named_as_its_file(path):
    is_macro = path.stem.startswith("macro")
    mapping = load_mapping(MacroMapping, path.stem) if is_macro else load_mapping(TapeMapping, path.stem)
    assert mapping.name == path.stem


@pytest.mark.parametrize(
    ("expression", "safe"),
    [
        ("CAST(days AS INT)", "try_cast"),
        ("days::int", "try_cast"),
        ("balance / days", "try_divide"),
        ("to_date(month, 'yyyyMM')", "try_to_date"),
    ],
)
def test_an_expression_that_one_bad_value_fails_is_refused_with_the_safe_form(expression, safe):
    mapping = copy.deepcopy(MONTHLY_FEED)
    mapping["performance"]["columns"]["upb"] = expression
    with pytest.raises(InputError, match=safe):
        validated(TapeMapping, mapping, "mapping")


def test_a_slash_in_a_text_is_no_division():
    mapping = copy.deepcopy(MONTHLY_FEED)
    mapping["performance"]["columns"]["upb"] = "CASE WHEN id = 'n/a' THEN NULL ELSE balance END"
    assert validated(TapeMapping, mapping, "mapping").performance.columns["upb"].startswith("CASE")


def test_unknown_and_missing_columns_are_named():
    mapping = copy.deepcopy(MONTHLY_FEED)
    del mapping["performance"]["columns"]["state"]
    with pytest.raises(InputError, match="missing columns state"):
        validated(TapeMapping, mapping, "mapping")
    mapping["performance"]["columns"]["stat"] = "'current'"
    with pytest.raises(InputError, match="unknown columns stat"):
        validated(TapeMapping, mapping, "mapping")


def test_no_or_an_unknown_source_is_bad_input():
    with pytest.raises(InputError, match="--source"):
        load_mapping(TapeMapping, None)
    with pytest.raises(InputError, match="did you mean 'freddie_mac'"):
        load_mapping(TapeMapping, "freddy_mac")
