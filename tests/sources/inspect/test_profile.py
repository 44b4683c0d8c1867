"""One field: types, formats of dates, ranges, codes and sentinels."""

import pyarrow as pa
import pytest

from loanbook.sources.inspect.profile import profile


def of(texts):
    return profile("f", pa.chunked_array([pa.array(texts, pa.string())]))


@pytest.mark.parametrize(
    ("texts", "kind", "low", "high"),
    [
        (["202401", "202412"], "date yyyyMM", "2024-01", "2024-12"),
        (["122024", "012025"], "date MMyyyy", "2024-12", "2025-01"),
        (["20240131", "20240229"], "date yyyyMMdd", "2024-01-31", "2024-02-29"),
        (["08/2037", "12/2036"], "date MM/yyyy", "2036-12", "2037-08"),
        (["2024-01-31"], "date yyyy-MM-dd", "2024-01-31", "2024-01-31"),
        (["01/31/2024", "02/29/2024"], "date MM/dd/yyyy", "2024-01-31", "2024-02-29"),
        (["31/01/2024", "29/02/2024"], "date dd/MM/yyyy", "2024-01-31", "2024-02-29"),
        (["01/01/2024", "02/01/2024", "03/01/2024"], "date MM/dd/yyyy", "2024-01-01", "2024-03-01"),
        (["01/01/2024", "01/02/2024", "01/03/2024"], "date dd/MM/yyyy", "2024-01-01", "2024-03-01"),
        (["31.01.2024"], "date dd.MM.yyyy", "2024-01-31", "2024-01-31"),
        (["Dec-2011", "Jan-2012"], "date MMM-yyyy", "2011-12", "2012-01"),
        (["360.0", "1.0"], "int", "1", "360"),
        (["-3", "+12"], "int", "-3", "12"),
        (["360.00", "1.50"], "number", "1.5", "360"),
        (["1e-3", ".5"], "number", "0.001", "0.5"),
        (["201913", "202401"], "int", "201913", "202401"),
        (["1,5", "2,25"], "text", "3", "4"),
        (["0" * 48], "text", "48", "48"),
        ([None, None], "empty", "", ""),
    ],
)
def test_types_and_ranges(texts, kind, low, high):
    field = of(texts)
    assert " ".join(filter(None, (field.type, field.format))) == kind
    assert (field.low, field.high) == (low, high)


def test_a_day_that_could_be_a_month_is_said():
    assert of(["01/02/2024", "02/01/2024"]).notes == ("MM/dd/yyyy or dd/MM/yyyy: no value tells which",)


def test_texts_that_are_not_of_the_type_are_listed_and_missing_words_apart():
    field = of([str(k % 40) for k in range(200)] + ["D", "D", "X", "NA", None])
    assert (field.type, field.exceptions, field.missing, field.blank) == (
        "int",
        {"D": 2, "X": 1},
        {"NA": 1},
        1,
    )


@pytest.mark.parametrize(
    ("texts", "missing"),
    [
        (["40", "65", "999"], ["999"]),
        (["620", "850", "9999", "9999"], ["9999"]),
        (["1", "2", "4", "99"], ["99"]),
        (["0", "1", "9"], ["9"]),
        ([str(k) for k in range(10)], []),
        ([str(k) for k in range(80, 100)], []),
        (["999", "999"], ["999"]),
        (["-999", "3", "4"], ["-999"]),
        ([*(str(-k) for k in range(1, 30)), *["365243"] * 5], ["365243"]),
        ([*(str(k) for k in range(1, 30)), "5000"], []),
    ],
)
def test_a_far_nine_or_a_repeated_far_value_is_a_sentinel(texts, missing):
    field = of(texts)
    assert list(field.missing) == missing
    assert not set(missing) & {field.low, field.high} or len(set(texts)) == 1


def test_codes_are_listed_where_few_and_repeated():
    assert of(["C", "0", "0", "0", "C", "X", "X"]).codes == {"0": 3, "C": 2, "X": 2}
    assert of(["a", "b", "c"]).codes == {}
    assert of([str(k % 21) for k in range(100)]).codes == {}
    assert of(["1.5", "1.5", "1.5"]).codes == {}


def test_leading_zeros_are_noted():
    assert of(["007", "123"]).notes == ("leading zeros: a code, or padded",)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([*[0, 1, 2, 3, 5, 17] * 9, *[96] * 3, *[98] * 4], {"98": 4, "96": 3}),
        ([*range(20, 99), 96, 98, 98], {}),
        ([*[0, 1, 2] * 9, 77, 77, 77], {"77": 3}),
        ([*[0, 1, 2] * 9, 77], {}),
    ],
)
def test_repeated_codes_far_from_the_values_are_sentinels(values, codes):
    assert of([str(value) for value in values]).missing == codes


@pytest.mark.parametrize("form", ["{}-12-31", "12/31/{}", "31.12.{}", "{}1231"])
def test_the_end_of_time_is_a_sentinel_of_a_date(form):
    field = of([form.format(year) for year in (2020, 2021, 2022, 9999, 9999)])
    assert (field.type, field.missing, field.high) == ("date", {form.format(9999): 2}, "2022-12-31")
