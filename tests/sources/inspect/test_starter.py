"""The mapping to begin with: it loads, and knows the file that it was written from."""

import re

import pytest
import yaml

from loanbook.errors import InputError
from loanbook.sources.inspect.starter import name_pattern, starter_mapping
from loanbook.sources.landing.file_names import slice_of
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.mapping_files import load_mapping
from loanbook.warehouse.storage import write_new
from tests.sources.inspect.samples import inspected, panel, write


def loaded(tmp_path, *findings, stem="new_tape"):
    path = tmp_path / f"{stem}.yaml"
    write_new(path, starter_mapping(findings, path.stem))
    return load_mapping(TapeMapping, str(path)), path.read_text()


def test_the_mapping_of_a_monthly_feed_loads_as_it_is(tmp_path):
    findings = inspected(write(tmp_path, "feed_202401.csv", panel()))
    mapping, text = loaded(tmp_path, findings)
    (spec,) = mapping.files
    assert (mapping.name, mapping.slices, spec.kind, spec.header) == (
        "new_tape",
        "months",
        "performance",
        True,
    )
    assert re.fullmatch(spec.pattern, "feed_202512.csv")
    assert slice_of("feed_202512.csv", spec) == "202512"
    (fields,) = spec.field_sets
    assert {name: field.type for name, field in fields.items()} == {
        "loan_id": "text", "month": "date", "days_past_due": "int", "balance": "money"}  # fmt: skip
    assert fields["month"].format == "yyyyMM"
    assert mapping.performance.columns["loan_id"] == "loan_id"
    assert mapping.performance.columns["as_of_date"] == "month"
    assert "try_cast(days_past_due AS INT) < 30 THEN 'current'" in mapping.performance.columns["state"]
    assert "TODO" in text


def test_bills_and_limits_are_money_and_a_billing_day_is_not(tmp_path):
    names = {"bill": "money", "statement": "money", "credit_limit": "money", "CreditLimit": "money",
             "billing_day": "int", "payment": "money"}  # fmt: skip
    rows = [f"{loan},2024-{m:02d},{m % 3},{','.join(str(loan % 5 * 1000 + m * k) for k in range(1, 7))}"
            for loan in range(9) for m in range(1, 7)]  # fmt: skip
    header = ",".join(["acct", "month", "late", *names])
    mapping, text = loaded(tmp_path, inspected(write(tmp_path, "a.csv", [header, *rows])))
    (fields,) = mapping.files[0].field_sets
    assert {name: fields[name].type for name in names} == names
    assert "statement, credit_limit" in text


def test_an_amount_of_three_decimals_is_not_read_as_money_unasked(tmp_path):
    rows = [f"{loan},2024-{m:02d},0,{loan + 1}.250,9.99" for loan in range(9) for m in range(1, 7)]
    header = "acct,month,late,balance,payment"
    mapping, text = loaded(tmp_path, inspected(write(tmp_path, "a.csv", [header, *rows])))
    (fields,) = mapping.files[0].field_sets
    assert (fields["balance"].type, fields["payment"].type) == ("double", "money")
    assert (
        "balance: double   # three decimals throughout: 1.250 may be a thousand and more; TODO: money" in text
    )


@pytest.mark.parametrize("day", ["2024-{:02d}-28 00:00:00", "2024-{:02d}-28T00:00:00Z", "2024-{:02d}-28"])
def test_days_with_a_time_are_read_as_days(tmp_path, day):
    rows = [f"{loan},{day.format(m)},{m % 3}" for loan in range(9) for m in range(1, 7)]
    mapping, _ = loaded(tmp_path, inspected(write(tmp_path, "a.csv", ["acct,report_date,late", *rows])))
    assert "report_date" in mapping.performance.columns["as_of_date"]


def test_codes_without_a_known_meaning_are_left_to_do(tmp_path):
    rows = [f"{loan},2024-{m:02d},{'ACX'[m % 3]}" for loan in range(9) for m in range(1, 7)]
    mapping, _ = loaded(tmp_path, inspected(write(tmp_path, "a.csv", ["acct id,month,status", *rows])))
    assert "WHEN 'X' THEN NULL /* TODO */" in mapping.performance.columns["state"]
    assert mapping.performance.columns["loan_id"] == "`acct id`"


def test_two_kinds_of_file_become_loans_and_performance(tmp_path):
    loans = write(
        tmp_path, "loans.csv", ["loan_id,dti", *(f"L{k:03d},{k % 9 if k else 999}" for k in range(10))]
    )
    mapping, _ = loaded(tmp_path, inspected(loans), inspected(write(tmp_path, "feed.csv", panel())))
    assert [spec.kind for spec in mapping.files] == ["loans", "performance"]
    assert mapping.loans is not None
    assert mapping.files[0].field_sets[0]["dti"].missing == ("999",)


def test_dialect_and_encoding_are_written(tmp_path):
    file = write(tmp_path, "a b-1.txt", ())
    file.path.write_bytes("".join(f"'{k}';'Größe';y\n" for k in range(9)).encode("latin-1"))
    mapping, _ = loaded(tmp_path, inspected(file))
    spec = mapping.files[0]
    assert re.fullmatch(spec.pattern, file.name)
    assert (spec.delimiter, spec.quote, spec.encoding, spec.header) == (";", "'", "latin-1", False)


@pytest.mark.parametrize("stem", ["2024 tape", "Ärger", "no"])
def test_any_name_of_the_file_gives_a_valid_source(tmp_path, stem):
    findings = inspected(
        write(tmp_path, "feed_202401.csv", [line.replace("loan_id", "no") for line in panel()])
    )
    mapping, text = loaded(tmp_path, findings, stem=stem)
    assert yaml.safe_load(text)["name"] == mapping.name
    assert "no" in mapping.files[0].field_sets[0]


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "a.yaml").write_text("mine")
    with pytest.raises(InputError, match="it exists"):
        write_new(tmp_path / "a.yaml", "x")
    assert (tmp_path / "a.yaml").read_text() == "mine"


def test_files_of_three_kinds_are_refused(tmp_path):
    found = [inspected(write(tmp_path, f"{name}.csv", panel())) for name in "abc"]
    with pytest.raises(InputError, match="at most two kinds"):
        starter_mapping(found, "x")


def test_names_that_differ_in_digits_are_one_kind():
    assert name_pattern("feed_202401.csv") == name_pattern("feed_202512.csv")


def test_a_name_that_no_expression_holds_is_another_and_one_with_a_dot_is_not(tmp_path):
    lines = [line.replace("balance", "loan/value").replace("days_past_due", "days.late") for line in panel()]
    mapping, _ = loaded(tmp_path, inspected(write(tmp_path, "feed.csv", lines)))
    fields = mapping.files[0].field_sets[0]
    assert fields["loan_value"].column == "loan/value"
    assert "days.late" in mapping.files[0].field_sets[0]


def test_a_code_with_a_quote_sign_or_a_slash_is_a_literal(tmp_path):
    rows = [
        f"{loan},2024-{m:02d},{('n/a now', 'it' + chr(39) + 's')[m % 2]}"
        for loan in range(9)
        for m in (1, 2, 3)
    ]
    mapping, _ = loaded(tmp_path, inspected(write(tmp_path, "a.csv", ["id,month,status", *rows])))
    assert r"WHEN 'it\u0027s' THEN NULL /* TODO */" in mapping.performance.columns["state"]


def test_a_single_file_gives_the_loans_too(tmp_path):
    mapping, _ = loaded(tmp_path, inspected(write(tmp_path, "feed.csv", panel())))
    assert mapping.loans is not None
    assert (mapping.loans.of, mapping.loans.columns) == ("performance", {"loan_id": "loan_id"})


def test_how_often_a_loan_was_late_is_not_how_late_it_is(tmp_path):
    names = [
        "times_90_days_late",
        "delinq_2yrs",
        "NumberOfTime30-59DaysPastDueNotWorse",
        "num_late",
        "dpd_12m",
    ]
    rows = [
        f"L{loan},2024-{m:02d},{','.join('012'[m % 3] for _ in names)}"
        for loan in range(9)
        for m in range(1, 7)
    ]
    lines = [",".join(["id", "month", *names]), *rows]
    mapping, text = loaded(tmp_path, inspected(write(tmp_path, "a.csv", lines)))
    assert mapping.performance.columns["state"].strip() == "NULL /* TODO */"
    assert "It publishes nothing while a code has no state" in text
    lines = [line + (",days_late" if n == 0 else f",{n % 40}") for n, line in enumerate(lines)]
    mapping, _ = loaded(tmp_path, inspected(write(tmp_path, "a.csv", lines)), stem="other")
    assert "days_late" in mapping.performance.columns["state"]


def test_an_amount_is_no_loan_and_one_with_thousandths_is_not_rounded(tmp_path):
    rows = [
        f"{1000 + loan * 7 + m},L{loan},2024-{m:02d},{m % 3},{loan + 1}.{m}00"
        for loan in range(9)
        for m in range(1, 7)
    ]
    findings = inspected(write(tmp_path, "a.csv", ["principal,ref,month,late,balance", *rows]))
    mapping, text = loaded(tmp_path, findings)
    assert mapping.performance.columns["loan_id"] == "ref"
    assert mapping.files[0].field_sets[0]["balance"].type == "double"
    assert "TODO: money of 3 decimals?" in text


def test_a_header_below_other_lines_is_said(tmp_path):
    _, text = loaded(tmp_path, inspected(write(tmp_path, "feed.csv", ["Report of today", *panel()])))
    assert "Before it loads, the lines above the header in line 2 must go." in text
