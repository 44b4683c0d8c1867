"""The catalogue as its readers see it."""

import json

import pytest

from loanbook.cli import main
from loanbook.features.catalogue.registry import FEATURES, catalogue_id


def listed(capsys, *options):
    code = main(["list-features", *options])
    *text, last = capsys.readouterr().out.splitlines()
    return code, "\n".join(text), json.loads(last)


def test_every_feature_is_listed_with_what_is_asked_of_it(capsys):
    code, text, said = listed(capsys, "--format", "json")
    assert (code, said["features"], said["catalogue_id"]) == (0, len(FEATURES), catalogue_id())
    entries = {entry["name"]: entry for entry in json.loads(text)}
    assert list(entries) == [item.name for item in FEATURES]
    assert entries["months_60plus_6m"]["range"] == "0 to 6"
    assert entries["unemployment"]["known"] == "publication"
    assert all(entry["description"] and entry["unit"] for entry in entries.values())


def test_the_page_has_a_section_for_each_feature(capsys):
    _, text, _ = listed(capsys, "--format", "markdown")
    assert [line for line in text.splitlines() if line.startswith("### ")] == [
        f"### `{item.name}`" for item in FEATURES
    ]
    assert "- Known: with the report of the month, or the last one before it" in text


def test_one_theme_as_a_table_and_an_unknown_theme(capsys):
    code, text, said = listed(capsys, "--theme", "macro")
    assert (code, said["features"]) == (0, sum(item.theme == "macro" for item in FEATURES))
    assert "mtm_ltv" in text
    assert "credit_score" not in text
    code, _, said = listed(capsys, "--theme", "weather")
    assert code == 2
    assert "one of delinquency, loan_terms, balance, macro" in said["error"]


def test_a_range_is_of_numbers_and_not_empty():
    for item in FEATURES:
        if item.kind == "categorical":
            assert (item.high, item.low) == (None, None), item.name
        elif item.low is not None and item.high is not None:
            assert item.low < item.high, item.name


@pytest.mark.parametrize("form", ["table", "csv"])
def test_other_forms(capsys, form):
    code, text, _ = listed(capsys, "--format", form)
    assert code == 0
    assert text.startswith("name")
