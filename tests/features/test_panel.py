"""The feature panel against the oracle, and against changes of what was not yet known."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from loanbook.book.months import last_day
from loanbook.features.catalogue.table import FEATURES
from loanbook.features.panel.inputs import (
    REFUSED,
    STATE_COLUMNS,
    PanelInputs,
    panel_and_state,
    require_usable,
)
from loanbook.features.panel.rows import BEHAVIOUR
from tests.features.books import START, BookLoan, loans_of, panel_inputs, performance_of, plan_of
from tests.features.partitions import features_of, partition_of
from tests.features.test_engine import BOOK, LAST, MACRO


def feature_panel(inputs: PanelInputs) -> DataFrame:
    rows = panel_and_state(inputs)
    require_usable(rows)
    return rows.where("core IS NULL").drop(*(column.name for column in STATE_COLUMNS), REFUSED)


def by_key(panel: DataFrame) -> dict[tuple[str, date], dict[str, Any]]:
    rows = [row.asDict() for row in panel.collect()]
    keyed = {(row["loan_id"], row["as_of_date"]): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


def test_spark_brings_the_engine_what_the_tests_without_it_do(spark: SparkSession) -> None:
    rows = performance_of(BOOK)
    found = by_key(feature_panel(panel_inputs(spark, rows, loans_of(BOOK), MACRO, last_month=LAST)))
    direct = features_of(partition_of(rows, loans_of(BOOK), plan_of(LAST, MACRO)))
    assert found == {(row["loan_id"], row["as_of_date"]): row for row in direct}


def test_the_panel_has_the_columns_of_the_table(spark: SparkSession) -> None:
    panel = feature_panel(panel_inputs(spark, performance_of(BOOK), loans_of(BOOK), MACRO))
    assert panel.columns == FEATURES.column_names
    assert len(panel.columns) <= 110


def test_partitioning_gives_the_same_bits(spark: SparkSession) -> None:
    inputs = panel_inputs(spark, performance_of(BOOK), loans_of(BOOK), MACRO)
    whole = by_key(feature_panel(inputs))
    scattered = replace(
        inputs,
        performance=inputs.performance.repartition(5, "line").sortWithinPartitions("state"),
        loans=inputs.loans.repartition(3),
    )
    assert by_key(feature_panel(scattered)) == whole


ATTRIBUTES: dict[str, Any] = {
    "numeric_attributes": {"income": 5.0, "age": 41.0, "undeclared": 1.0},
    "categorical_attributes": {"job": "clerk", "sex": "F"},
    "text_attributes": {"desc": "To pay off cards", "letter": "Dear Sir", "collector": "No answer"},
    "attribute_roles": {
        "income": "input", "age": "protected", "job": "input", "sex": "protected",
        "desc": "input", "letter": "protected", "collector": "post_outcome",
    },
}  # fmt: skip
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
    first, third = (terms["attributes", last_day(START + k)] for k in (0, 2))
    assert [row["numeric_inputs"] for row in (first, third)] == [
        {"income": 5.0, "score": 600.5}, {"income": 5.0, "score": 593.5},
    ]  # fmt: skip
    assert [row["categorical_inputs"] for row in (first, third)] == [
        {"job": "clerk"}, {"job": "clerk", "band": "C"},
    ]  # fmt: skip
    assert first["text_inputs"] == {"desc": "To pay off cards"}
    assert terms["card", last_day(START)]["categorical_inputs"] is None


def test_terms_fall_back_where_a_tape_lacks_them(terms: Any) -> None:
    row = terms["card", last_day(START + 1)]
    assert (row["months_on_book"], row["utilisation"]) == (1, 99_863 / 150_000)
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


def test_a_rebuilt_history_has_no_behaviour_and_a_case_control_sample_is_flagged(spark):
    book = [BookLoan("a", 0, ("current", "dpd30", "current"))]
    inputs = panel_inputs(spark, performance_of(book), loans_of(book), last_month=START + 2)
    plain = feature_panel(inputs).orderBy("as_of_date").collect()[-1]
    stamp = replace(inputs.stamp, barred=True, flags=("rebuilt_history", "case_control"))
    barred = feature_panel(replace(inputs, stamp=stamp)).orderBy("as_of_date").collect()[-1]
    assert plain["quality_flags"] == []
    assert barred["quality_flags"] == ["case_control", "rebuilt_history"]
    assert plain["months_30plus_12m"] == 1
    assert all(barred[name] is None for name in BEHAVIOUR)
    assert (barred["credit_score"], barred["state"]) == (plain["credit_score"], "current")
