from typing import Any

import numpy as np
import pytest
from pyspark.sql import functions as F

import loanbook.models.heads
from loanbook.models.by_name import known_modules
from loanbook.models.heads import head
from loanbook.scoring.book import FILLED
from loanbook.settings.choice import Choice
from tests.models import vector_head

HEADS = [*map(head, known_modules(loanbook.models.heads.__path__)), vector_head.HEAD]


@pytest.mark.parametrize("target", HEADS, ids=lambda item: item.name)
def test_what_a_head_fills_are_columns_of_the_scores(spark: Any, target: Any) -> None:
    outputs = [F.lit(0.25 / target.outputs)] * target.outputs
    filled = target.score_columns(outputs, outputs, "direct")
    assert set(filled) <= {column.name for column in FILLED}
    assert {"pd_method", *target.fills} <= set(filled)
    statuses = spark.createDataFrame([("performing",), ("in_default",)], "default_status string")
    rows = statuses.withColumns({name: F.lit(24) for name in target.score_reads})
    found = rows.select("default_status", *(column.alias(name) for name, column in filled.items())).collect()
    performing = next(row for row in found if row["default_status"] == "performing")
    expected = target.pd(np.full((1, target.outputs), 0.25 / target.outputs))[0]
    assert performing[target.fills[0]] == pytest.approx(expected)
    assert performing["pd_method"] in ("direct", "chained", "hazard")


def curve_scores(spark: Any, terms: list[int | None], status: str = "performing") -> list[Any]:
    """Scores of loans with so many months left, whose curves have 24 months of 1 % and 2 %."""
    target = head(Choice(name="term_structure", curve_months=24))
    outputs = [F.lit(0.01)] * 24 + [F.lit(0.02)] * 24
    rows = spark.createDataFrame(
        [(status, term) for term in terms], "default_status string, remaining_term int"
    )
    columns = target.score_columns(outputs, outputs, "direct").items()
    return rows.select(*(column.alias(name) for name, column in columns)).collect()


def test_a_lifetime_pd_is_that_of_the_contracts_months_and_null_where_the_curve_ends_before(
    spark: Any,
) -> None:
    found = curve_scores(spark, [1, 13, 24, 25, 0, -3, None])
    lifetimes = [row["pd_lifetime"] for row in found]
    assert lifetimes == [
        pytest.approx(0.01),
        pytest.approx(0.13),
        pytest.approx(0.24),
        None,
        None,
        None,
        None,
    ]
    for row in found:
        assert row["pd_12m"] == pytest.approx(0.12)
        assert row["prepayment_12m"] == pytest.approx(0.24)
        assert (row["pd_curve"], row["prepayment_curve"]) == ([0.01] * 24, [0.02] * 24)


def test_a_loan_in_default_has_pd_1_and_no_curve(spark: Any) -> None:
    (found,) = curve_scores(spark, [13], "in_default")
    assert found.asDict() == {
        "pd_12m_raw": None, "pd_12m": 1.0, "pd_lifetime": 1.0, "prepayment_12m": None,
        "pd_curve": None, "prepayment_curve": None, "pd_method": "in_default",
    }  # fmt: skip


def test_a_loan_in_default_is_certain_to_default_and_not_certain_of_a_tapes_own_outcome(spark: Any) -> None:
    rows = spark.createDataFrame([("in_default",)], "default_status string")
    outputs = [F.lit(0.25)]
    of_default = rows.select(
        *(c.alias(n) for n, c in head("default_12m").score_columns(outputs, outputs, "direct").items())
    ).first()
    of_outcome = rows.select(
        *(c.alias(n) for n, c in head("tape_outcome").score_columns(outputs, outputs, "direct").items())
    ).first()
    assert of_default.asDict() == {"pd_12m_raw": None, "pd_12m": 1.0, "pd_method": "in_default"}
    assert of_outcome.asDict() == {"pd_outcome_raw": 0.25, "pd_outcome": 0.25, "pd_method": "direct"}
