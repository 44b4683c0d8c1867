from typing import Any

import numpy as np
import pytest

from loanbook.errors import InputError
from loanbook.models.inputs import model_inputs
from tests.models.specs import SPEC

SCHEMA = (
    "loan_id string, ltv double, change int, state string, "
    "numeric_inputs map<string,double>, categorical_inputs map<string,string>"
)


def test_missing_is_nan_and_unknown_is_zero(spark: Any) -> None:
    rows = [
        ("a", 0.5, 1, "dpd30", {"income": 100.0}, {"area": "a19"}),
        ("b", None, None, None, {}, {}),
        ("c", float("nan"), -2, "reo", None, None),
    ]
    frame = model_inputs(spark.createDataFrame(rows, SCHEMA), SPEC, keep=["loan_id"])
    assert frame.columns == ["loan_id", "x_ltv", "x_income", "x_change", "c_state", "c_area"]
    assert [kind for _, kind in frame.dtypes[1:]] == ["float"] * 3 + ["int"] * 2
    found = frame.orderBy("loan_id").toPandas()
    np.testing.assert_array_equal(found["x_ltv"], [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(found["x_income"], [100.0, np.nan, np.nan])
    np.testing.assert_array_equal(found["x_change"], [1.0, np.nan, -2.0])
    assert found["c_state"].tolist() == [2, 0, 0]
    assert found["c_area"].tolist() == [20, 0, 0]


def test_features_of_another_catalogue_are_refused(spark: Any) -> None:
    frame = spark.createDataFrame([], SCHEMA).drop("change", "numeric_inputs")
    with pytest.raises(InputError, match="no column numeric_inputs, change"):
        model_inputs(frame, SPEC)
