"""Mapping files: what is refused before anything runs."""

import copy
import re
from pathlib import Path

import pytest

from loanbook.errors import InputError
from loanbook.settings.section import validated
from loanbook.sources.mapping.macro_mapping import MacroMapping
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.mapping_files import load_mapping
from tests.sources.tapes import MONTHLY_FEED

WORST = {"expression": "max(days) OVER (PARTITION BY id)", "type": "numeric", "role": "input"}
LATE = {"expression": "days", "type": "numeric", "role": "input"}
LOANS_OF_FEED = {"of": "performance", "columns": {"loan_id": "id"}}
SOURCES = Path(__file__).parents[2] / "conf" / "sources"


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_mapping_is_valid_and_named_as_its_file(path):
    is_macro = path.stem.startswith("macro")
    mapping = load_mapping(MacroMapping, path.stem) if is_macro else load_mapping(TapeMapping, path.stem)
    assert mapping.name == path.stem


def with_expression(expression: str) -> TapeMapping:
    mapping = copy.deepcopy(MONTHLY_FEED)
    mapping["performance"]["columns"]["upb"] = expression
    return validated(TapeMapping, mapping, "mapping")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("CAST(days AS INT)", "try_cast"),
        ("days::int", "try_cast"),
        ("int(days)", "try_cast"),
        ("try_cast(days AS decimal(9,2)) + decimal(days)", r"decimal\(\.\.\.\).*try_cast"),
        ("balance / days", "try_divide"),
        ("balance div days", "try_divide"),
        ("balance % days", "try_mod"),
        ("balance / 0.0", "other than 0"),
        ("balance % 12 / days", "try_divide"),
        ("balance / 12e0", "try_divide"),
        ("to_date(month, 'yyyyMM')", "try_cast"),
        ("(SELECT max(upb) FROM performance)", "subquery"),
        ("(TABLE performance)", "subquery"),
        ("current_date", "not the same in every run"),
        ("split(id, '-')[1]", r"get\(array, place\)"),
        ("max(balance)", "OVER"),
        ("max(coalesce(balance, 0)) + first(days) OVER (PARTITION BY id)", "OVER"),
        ("rand()", "the function rand is not among"),
        ("reflect('java.lang.System', 'exit')", "the function reflect is not"),
        ("coalesc(balance, 0)", "near it: coalesce"),
    ],
)
def test_an_expression_that_could_fail_a_job_or_read_more_than_its_line_is_refused(expression, reason):
    with pytest.raises(InputError, match=rf"(?s)performance\.columns\.upb.*{reason}"):
        with_expression(expression)


@pytest.mark.parametrize(
    ("expression", "is_refused"),
    [
        ("days > 30", False),
        ("lag(days, 1) OVER (PARTITION BY id ORDER BY month) > 30", False),
        ("lead(days) OVER (PARTITION BY id ORDER BY month) > 30", True),
        ("max(days) OVER (PARTITION BY id) > 30", True),
        ("max(days) OVER (PARTITION BY id ORDER BY month DESC) > 30", True),
        (
            "max(days) OVER (PARTITION BY id ORDER BY month ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) > 1",
            True,
        ),
    ],
)
def test_a_flag_that_reads_later_rows_is_refused(expression, is_refused):
    mapping = copy.deepcopy(MONTHLY_FEED)
    mapping["performance"]["checks"] = {"late": {"when": expression, "severity": "flag"}}
    if is_refused:
        with pytest.raises(InputError, match="may not read later rows"):
            validated(TapeMapping, mapping, "mapping")
    else:
        validated(TapeMapping, mapping, "mapping")
    mapping["performance"]["checks"]["late"]["severity"] = "reject"
    validated(TapeMapping, mapping, "mapping")


@pytest.mark.parametrize(
    "expression",
    [
        "CASE WHEN id = 'n/a or cast(x)' THEN NULL ELSE balance END",
        "`a/b` -- half of it: x / 2",
        "coalesce(current_upb, user, `a[1]`, '[x]')",
        "max(coalesce(balance, (0))) OVER (PARTITION BY id ORDER BY month)",
        "try_cast(days AS decimal (9,2))",
        "days % 12 + balance / 1.5 + (days div 12)",
        "aggregate_of IN ('it''s', \"a/b\") AND NOT (days > 3)",
    ],
)
def test_texts_names_and_comments_are_no_code(expression):
    assert with_expression(expression).performance.columns["upb"] == expression


def test_what_a_mapping_file_gets_wrong_is_named_with_its_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        """name: mine
product: mortgage
known_lag_months: 0
files:
  - kind: performance
    patern: x
    fields: {id: text}
performance:
  columns:
    loan_id: id
    as_of_date: last_day(month)
    state: days / id
"""
    )
    with pytest.raises(InputError) as refused:
        load_mapping(TapeMapping, str(path))
    found = refused.value.found
    assert "missing key 'files.0.pattern' (line 5)" in found
    assert "unknown key 'files.0.patern' (did you mean 'pattern'?) (line 6)" in found
    assert re.search(r"performance\.columns\.state = .*try_divide.*\(line 12\)", found)


def of_upb(expression):
    return {"performance": {"columns": {"upb": expression}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (of_upb("lead(balance) OVER (ORDER BY month)"), "columns.upb = .*: features"),
        (of_upb("lag(balance, -1) OVER (ORDER BY month)"), "columns.upb = .*: features"),
        (of_upb("lag(balance) OVER (ORDER BY datediff(x, month))"), "columns.upb = .*: features"),
        ({"loans": {"attributes": {"worst": WORST}}}, "attributes.worst.expression = .*: features"),
        ({"performance": {"attributes": {"worst": WORST}}},
         r"performance\.attributes\.worst\.expression = .*: features"),
        ({"performance": {"attributes": {"late": LATE}}, "loans": {"attributes": {"late": LATE}}},
         r"performance\.attributes\.late: an attribute of the loan too"),
        ({"slices": "months", **of_upb("lag(balance) OVER (ORDER BY month)")},
         "columns.upb = .*: a window sees"),
        ({"files": [{"fields": {"month": {"type": "date", "format": "dd/MM/yy"}}}]}, "yyyy and MM"),
        ({"files": [{"fields": {"month": {"type": "date", "format": "MMM-yyyy"}}}]}, "yyyy and MM"),
        ({"files": [{"delimiter": ""}]}, "at least 1 character"),
        ({"files": [{"delimiter": ",", "quote": ","}]}, "one other sign"),
        ({"files": [{"encoding": "base64"}]}, "not the name of an encoding"),
        ({"files": [{"slice": r"feed_\d{6}"}]}, "one group"),
    ],
)  # fmt: skip
def test_what_could_only_fail_later_or_look_ahead_is_refused_at_once(change, message):
    with pytest.raises(InputError, match=message):
        validated(TapeMapping, changed({**MONTHLY_FEED, "loans": LOANS_OF_FEED}, change), "mapping")


def changed(content, change):
    """Return a copy of a mapping with some keys changed, those of the first of its files too."""
    if isinstance(change, dict):
        return {**content, **{key: changed(content.get(key, {}), value) for key, value in change.items()}}
    if isinstance(change, list):
        return [changed(content[0], change[0])]
    return change


def test_a_mistake_in_an_extended_mapping_is_named_with_its_file(tmp_path):
    text = (SOURCES / "freddie_mac.yaml").read_text()
    base = tmp_path / "theirs.yaml"
    base.write_text(text.replace("rate: current_rate", "rate: current_rate / loan_age"))
    line = base.read_text().splitlines().index("    rate: current_rate / loan_age") + 1
    (tmp_path / "mine.yaml").write_text(f"extends: {base}\nname: mine\n")
    with pytest.raises(InputError, match=rf"rate = .*\(line {line} of theirs\.yaml\)"):
        load_mapping(TapeMapping, str(tmp_path / "mine.yaml"))


def test_unknown_and_missing_columns_are_named_with_those_that_exist():
    mapping = copy.deepcopy(MONTHLY_FEED)
    del mapping["performance"]["columns"]["state"]
    mapping["performance"]["columns"]["stat"] = "'current'"
    with pytest.raises(InputError) as refused:
        validated(TapeMapping, mapping, "mapping", {"performance.columns.stat": "7"})
    found = refused.value.found
    assert """performance.columns.stat = "'current'": no column (did you mean 'state'?); """ in found
    assert "there are loan_id, as_of_date, state, " in found
    assert "loss_event (line 7); performance.columns: missing columns state" in found


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("CASE days WHEN 0 THEN 'current' WHEN 1 THEN 'default' END", "'default'"),
        ("CASE WHEN days < 30 THEN 'Current' ELSE coalesce(id, 'dpd_90') END",
         "'Current' (did you mean 'current'?), 'dpd_90' (did you mean 'dpd90'?)"),
        ("try_element_at(map('0', 'current', '1', 'bad'), id)", "'bad'"),
        ("CASE WHEN id = 'default' THEN CASE WHEN days > 1 THEN 'dpd90' END ELSE 'current' END", None),
        ("lower(concat('CUR', 'RENT'))", None),
    ],
)  # fmt: skip
def test_a_text_that_can_become_a_state_and_is_none_is_refused(expression, unknown):
    mapping = changed(MONTHLY_FEED, {"performance": {"columns": {"state": expression}}})
    if unknown is None:
        assert validated(TapeMapping, mapping, "mapping").performance.columns["state"] == expression
        return
    with pytest.raises(InputError) as refused:
        validated(TapeMapping, mapping, "mapping", {"performance.columns.state": "9"})
    assert f"no state: {unknown}; the states are current, dpd30" in refused.value.found
    assert "(line 9)" in refused.value.found


def test_money_is_not_read_from_a_field_of_another_form():
    fields = {"id": "text", "month": "date", "days": "int", "balance": "double"}
    mapping = changed(MONTHLY_FEED, {"files": [{"fields": fields}]})
    with pytest.raises(InputError) as refused:
        validated(TapeMapping, mapping, "mapping", {"performance.columns.upb": "8"})
    assert "performance.columns.upb = 'balance': money is read from balance, a field of type double" in (
        refused.value.found
    )
    assert refused.value.found.endswith("(line 8)")
    mapping = changed(mapping, {"performance": {"columns": {"upb": "balance * 1000"}}})
    validated(TapeMapping, mapping, "mapping")
    mapping["loans"] = {"of": "performance", "columns": {"loan_id": "id", "original_upb": "-(balance)"}}
    with pytest.raises(InputError, match="loans.columns.original_upb"):
        validated(TapeMapping, mapping, "mapping")


def test_a_mistake_is_not_given_the_line_of_what_it_replaces(tmp_path):
    (tmp_path / "mine.yaml").write_text("extends: freddie_mac\nname: mine\nfiles:\n  - kind: performance\n")
    with pytest.raises(InputError, match=r"missing key 'files\.0\.pattern' \(line 4\)"):
        load_mapping(TapeMapping, str(tmp_path / "mine.yaml"))


def test_no_or_an_unknown_source_is_bad_input():
    with pytest.raises(InputError, match="--source"):
        load_mapping(TapeMapping, None)
    with pytest.raises(InputError, match="did you mean 'freddie_mac'"):
        load_mapping(TapeMapping, "freddy_mac")
