from typing import Any

import numpy as np
import pytest
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.models.inputs.model_inputs import model_inputs
from loanbook.models.inputs.words import words_expr
from tests.models.specs import SPEC

SCHEMA = (
    "loan_id string, ltv double, change int, state string, balances array<double>, states array<int>, "
    "numeric_inputs map<string,double>, categorical_inputs map<string,string>, text_inputs map<string,string>"
)

NOTE = "Cards! My 24 h CRÉDIT: a car, 24/cards, debt debt"


def test_missing_and_infinite_are_nan_and_unknown_is_zero(spark: Any) -> None:
    rows = [
        (
            "a",
            0.5,
            1,
            "dpd30",
            [None, 0.5, float("inf")],
            [0, 3, 4],
            {"income": 100.0},
            {"area": "a19"},
            {"note": NOTE, "why": "Car"},
        ),
        ("b", None, None, None, None, None, {}, {}, {"note": "", "why": None}),
        ("c", float("nan"), -2, "reo", [0.1], [1], None, None, None),
        ("d", float("-inf"), 3, "reo", [], [], {"income": float("inf")}, None, None),
        (
            "e",
            1e300,
            3,
            "reo",
            [1.0, 2.0, 3.0],
            [None, -1, 2],
            {"income": -1e39},
            None,
            None,
        ),  # beyond what a float32 holds
    ]
    frame = model_inputs(spark.createDataFrame(rows, SCHEMA), SPEC, keep=["loan_id"])
    assert frame.columns == ["loan_id", *SPEC.numeric_columns, *SPEC.code_columns]
    assert [kind for _, kind in frame.dtypes[1:]] == ["float"] * 6 + ["int"] * 11
    found = frame.orderBy("loan_id").toPandas()
    np.testing.assert_array_equal(found["x_ltv"], [0.5] + [np.nan] * 4)
    np.testing.assert_array_equal(found["x_income"], [100.0] + [np.nan] * 4)
    np.testing.assert_array_equal(found["x_change"], [1.0, np.nan, -2.0, 3.0, 3.0])
    assert found["c_state"].tolist() == [2, 0, 0, 0, 0]
    assert found["c_area"].tolist() == [20, 0, 0, 0, 0]
    assert found.filter(like="t_note").to_numpy().tolist() == [[4, 5, 3, 5], *[[0] * 4] * 4]
    assert found.filter(like="t_why").to_numpy().tolist() == [[2, 0], *[[0, 0]] * 4]
    nan = float("nan")
    balances = [[nan, 0.5, nan], [nan] * 3, [np.float32(0.1), nan, nan], [nan] * 3, [1.0, 2.0, 3.0]]
    np.testing.assert_array_equal(found.filter(like="s_balances").to_numpy(), np.array(balances, np.float32))
    # A code beyond those of training counts as nothing known.
    states = [[0, 3, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 2]]
    assert found.filter(like="s_states").to_numpy().tolist() == states


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Pay off 2 CARDS, (a debt of $4,500)!", ["pay", "off", "cards", "debt", "of", "500"]),
        ("Crédit_été2<br/>x\n日本", ["crédit", "été2", "br", "日本"]),
        (" - ", []),
        ("", []),
    ],
)
def test_a_word_is_a_run_of_letters_or_digits(spark: Any, text: str, words: list[str]) -> None:
    frame = spark.createDataFrame([(text,)], "text string").select(words_expr(F.col("text")).alias("words"))
    assert frame.first()["words"] == words


def test_a_text_is_read_once_for_all_of_its_places(spark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model_inputs(spark.createDataFrame([], SCHEMA), SPEC).select(F.array(*SPEC.code_columns)).explain()
    assert capsys.readouterr().out.count("regexp_extract_all") == len(SPEC.text)


def test_features_of_another_catalogue_are_refused(spark: Any) -> None:
    frame = spark.createDataFrame([], SCHEMA).drop("change", "numeric_inputs")
    with pytest.raises(InputError, match="no column numeric_inputs, change"):
        model_inputs(frame, SPEC)
