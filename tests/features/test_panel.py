"""The feature panel against the oracle, and against changes of what was not yet known."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from pyspark.sql import DataFrame, SparkSession

from loanbook.features.catalogue import FEATURES as CATALOGUE
from loanbook.features.months import last_day
from loanbook.features.panel import BEHAVIOUR, feature_panel
from loanbook.tables.features import FEATURES
from tests.features.books import START, BookLoan, Rows, loans_of, macro_of, panel_inputs, performance_of
from tests.features.oracle import expected_features
from tests.features.strategies import FEW, books

LAST = START + 30
CUT = START + 14
HISTORY = BookLoan("a", 0, ("current",) * 5 + ("dpd30", None, "dpd60", "dpd90") + ("current",) * 16)
SHORT = BookLoan("b", 10, ("dpd30", None, None, None, None, None, "current", "prepaid"))
BOOK = [HISTORY, SHORT, BookLoan("c", 3, ("current",) * 20), BookLoan("d", 14, ("current", "removed"))]
MACRO = macro_of(
    (region, series, month, lag, level + month / 7)
    for region in ("US", "CA")
    for series, lag, level in (("unemployment", 1, 5.0), ("hpi", 2, 100.0), ("mortgage_rate", 0, 4.0))
    for month in range(-24, 32)
)


def by_key(panel: DataFrame) -> dict[tuple[str, date], dict[str, Any]]:
    rows = [row.asDict() for row in panel.collect()]
    keyed = {(row["loan_id"], row["as_of_date"]): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


@FEW
@given(book=books())
def test_panel_equals_the_oracle(spark: SparkSession, book: list[BookLoan]) -> None:
    rows = performance_of(book)
    found = by_key(feature_panel(panel_inputs(spark, rows, loans_of(book), last_month=LAST)))
    expected = expected_features(rows, LAST)
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert {name: found[key][name] for name in values} == values, key
    assert [problem for row in found.values() for problem in _out_of_range(row)] == []


def _out_of_range(row: dict[str, Any]) -> list[tuple[str, Any]]:
    given = [(item, row[item.name]) for item in CATALOGUE if row[item.name] is not None]
    numbers = [(item, value) for item, value in given if item.kind == "numeric"]
    return [
        (item.name, value)
        for item, value in numbers
        if (item.low is not None and value < item.low) or (item.high is not None and value > item.high)
    ]


def test_the_panel_has_the_columns_of_the_table(spark: SparkSession) -> None:
    panel = feature_panel(panel_inputs(spark, performance_of(BOOK), loans_of(BOOK), MACRO))
    assert panel.columns == FEATURES.column_names
    assert len(panel.columns) <= 100


def _rewritten(row: dict[str, Any]) -> dict[str, Any]:
    """Return a performance row with another value in every column that is not its key."""
    return row | {
        "slice": "other", "delivery": "d2", "line": row["line"] + 1000,
        "known_on": row["known_on"] + timedelta(days=400), "state": "foreclosure", "months_delinquent": 9,
        "upb": Decimal("1.11"), "rate": Decimal("9.5"), "remaining_term": 1, "modified": True,
        "payment": Decimal(7), "loss_event": True, "default_status": "in_default", "default_episode": 7,
        "default_entry": True, "default_exit": True,
    }  # fmt: skip


def _futures(rows: Rows) -> dict[str, Rows]:
    """Return performance whose rows after CUT are as they are, rewritten, deleted, and joined by others."""
    cut = last_day(CUT)
    past = [row for row in rows if row["as_of_date"] <= cut]
    later = [row for row in rows if row["as_of_date"] > cut]
    added = [row | {"as_of_date": last_day(CUT + 9 + k)} for k, row in enumerate(past[:3])]
    others = BookLoan("z", 15, ("current",) * 4).rows()
    return {
        "base": rows,
        "rewritten": past + [_rewritten(row) for row in later],
        "deleted": past,
        "added": past + [row for row in later if row["loan_id"] != "a"] + added[:1] + others,
    }


def test_nothing_after_a_month_changes_its_features(spark: SparkSession) -> None:
    futures = _futures(performance_of(BOOK))
    rows = [row | {"source": name} for name, future in futures.items() for row in future]
    loans = [row | {"source": name} for name in futures for row in loans_of(BOOK)]
    panel = feature_panel(panel_inputs(spark, rows, loans, MACRO, last_month=LAST))
    until: dict[str, Rows] = {name: [] for name in futures}
    for row in panel.orderBy("loan_id", "as_of_date").collect():
        if row["as_of_date"] <= last_day(CUT):
            until[row["source"]].append(row.asDict() | {"source": ""})
    assert len(until["base"]) == 15 + 4 + 12 + 1
    assert until["rewritten"] == until["base"]
    assert until["deleted"] == until["base"]
    assert until["added"] == until["base"]


def test_macro_not_yet_known_changes_no_feature(spark: SparkSession) -> None:
    known = [row for row in MACRO if row["known_on"] <= last_day(CUT)]
    later = [row | {"value": -999.0} for row in MACRO if row["known_on"] > last_day(CUT)]
    revised = [row | {"value": 555.0, "known_on": last_day(CUT + 1)} for row in known]
    found = [
        by_key(feature_panel(panel_inputs(spark, performance_of(BOOK), loans_of(BOOK), macro, LAST)))
        for macro in (MACRO, known + later + revised)
    ]
    until = [{key: row for key, row in rows.items() if key[1] <= last_day(CUT)} for rows in found]
    assert until[0] == until[1]
    assert found[0] != found[1]
    row = until[0]["a", last_day(CUT)]
    assert row["unemployment"] == 5.0 + (14 - 1) / 7
    assert row["mtm_ltv"] == 80.0 * row["upb_to_original"] * ((100 - 3 / 7) / (100 + 12 / 7))


def test_partitioning_gives_the_same_bits(spark: SparkSession) -> None:
    inputs = panel_inputs(spark, performance_of(BOOK), loans_of(BOOK), MACRO)
    whole = by_key(feature_panel(inputs))
    scattered = type(inputs)(
        performance=inputs.performance.repartition(5, "line").sortWithinPartitions("state"),
        loans=inputs.loans.repartition(3),
        macro=inputs.macro,
        last_month=inputs.last_month,
        stale_months=inputs.stale_months,
    )
    assert by_key(feature_panel(scattered)) == whole


ATTRIBUTES = {
    "numeric_attributes": {"income": 5.0, "age": 41.0, "undeclared": 1.0},
    "categorical_attributes": {"job": "clerk", "sex": "F"},
    "attribute_roles": {"income": "input", "age": "protected", "job": "input", "sex": "protected"},
}
BARE = {
    "origination_date": None, "original_upb": None, "original_rate": None, "original_term": None,
    "ltv": None, "region": None, "credit_limit": Decimal(200_000),
}  # fmt: skip
TERMS = [
    BookLoan("attributes", 0, ("current",) * 3, ATTRIBUTES),
    BookLoan("card", 0, ("inactive", "current", "current"), BARE),
    BookLoan("paying", 0, ("current",) * 3, {"first_payment_date": last_day(START + 1).replace(day=1)}),
]


@pytest.fixture(scope="module")
def terms(spark: SparkSession) -> dict[tuple[str, date], dict[str, Any]]:
    inputs = panel_inputs(spark, performance_of(TERMS), loans_of(TERMS), last_month=START + 2)
    return by_key(feature_panel(inputs))


def test_only_attributes_declared_as_inputs_reach_the_panel(terms: Any) -> None:
    row = terms["attributes", last_day(START)]
    assert row["numeric_inputs"] == {"income": 5.0}
    assert row["categorical_inputs"] == {"job": "clerk"}
    assert terms["card", last_day(START)]["numeric_inputs"] is None


def test_terms_fall_back_where_a_tape_lacks_them(terms: Any) -> None:
    row = terms["card", last_day(START + 1)]
    assert (row["months_on_book"], row["utilisation"]) == (1, 0.499315)
    missing = ("upb_to_original", "upb_to_schedule", "mtm_ltv", "unemployment", "rate_spread_at_origination")
    assert [row[name] for name in missing] == [None] * len(missing)


def test_the_schedule_is_the_annuity(terms: Any) -> None:
    growth = 1 + 4.125 / 1200
    balance = 100_000.0
    level = balance * (growth - 1) / (1 - growth**-360)
    for month in range(3):
        ratio = terms["paying", last_day(START + month)]["upb_to_schedule"]
        assert abs(ratio - (100_000 - 137 * month) / balance) < 1e-9
        balance = balance * growth - level


def test_two_sources_do_not_mix(spark: SparkSession) -> None:
    rows = performance_of([HISTORY])
    other = [row | {"source": "other", "state": "dpd30"} for row in rows[:4]]
    inputs = panel_inputs(spark, rows + other, loans_of(BOOK), last_month=START + 3)
    counts = feature_panel(inputs).where("as_of_date = '2020-04-30'").select("source", "months_30plus_12m")
    assert dict(counts.collect()) == {"tape": 0, "other": 4}


def test_a_rebuilt_history_has_no_behaviour_and_a_case_control_sample_is_flagged(spark):
    book = [BookLoan("a", 0, ("current", "dpd30", "current"))]
    inputs = panel_inputs(spark, performance_of(book), loans_of(book), last_month=START + 2)
    plain = feature_panel(inputs).orderBy("as_of_date").collect()[-1]
    barred = (
        feature_panel(replace(inputs, rebuilt=True, case_control=True)).orderBy("as_of_date").collect()[-1]
    )
    assert plain["quality_flags"] == []
    assert barred["quality_flags"] == ["case_control", "rebuilt_history"]
    assert plain["months_30plus_12m"] == 1
    assert all(barred[item.name] is None for item in BEHAVIOUR)
    assert (barred["credit_score"], barred["state"]) == (plain["credit_score"], "current")
