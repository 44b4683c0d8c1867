from typing import Any

import pytest
from pyspark.sql import functions as F

import loanbook.models.heads
from loanbook.models.by_name import known_modules
from loanbook.models.heads import head
from loanbook.scoring.book import FILLED
from tests.models import vector_head

HEADS = [*map(head, known_modules(loanbook.models.heads.__path__)), vector_head.HEAD]


@pytest.mark.parametrize("target", HEADS, ids=lambda item: item.name)
def test_what_a_head_fills_are_columns_of_the_scores(spark: Any, target: Any) -> None:
    outputs = [F.lit(0.25)] * target.outputs
    filled = target.score_columns(outputs, outputs, "direct")
    assert set(filled) <= {column.name for column in FILLED}
    assert {"pd_method", *target.fills} <= set(filled)
    rows = spark.createDataFrame([("performing",), ("in_default",)], "default_status string")
    found = rows.select("default_status", *(column.alias(name) for name, column in filled.items())).collect()
    performing = next(row for row in found if row["default_status"] == "performing")
    assert (performing[target.fills[0]], performing["pd_method"]) == (0.25, "direct")


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
