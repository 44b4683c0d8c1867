import pytest
from pydantic import ValidationError

from loanbook.models.spec import Candidate, InputSpec
from tests.models.specs import SPEC


def test_json_round_trip_keeps_every_bit() -> None:
    again = InputSpec.model_validate_json(SPEC.model_dump_json())
    assert again == SPEC
    assert again.content_hash() == SPEC.content_hash()


def test_hash_follows_the_content() -> None:
    first, *others = SPEC.numeric
    moved = SPEC.model_copy(
        update={"numeric": (first.model_copy(update={"mean": first.mean + 1e-9}), *others)}
    )
    assert moved.content_hash() != SPEC.content_hash()


def test_columns_in_tensor_order() -> None:
    assert SPEC.numeric_columns == ["x_ltv", "x_income", "x_change"]
    assert SPEC.code_columns == ["c_state", "c_area"]
    assert SPEC.feature_columns == ["ltv", "numeric_inputs", "change", "state", "categorical_inputs"]


@pytest.mark.parametrize("expression", ["ltv + 1", "numeric_inputs[income]", "a.b", "f(x)", "m['a'] or 1"])
def test_expression_is_a_column_or_a_map_entry(expression: str) -> None:
    with pytest.raises(ValidationError, match="neither a column"):
        Candidate(name="x", expression=expression, kind="numeric")
