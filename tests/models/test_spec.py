import pytest
from pydantic import ValidationError

from loanbook.models.inputs.spec import Candidate, InputSpec
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
    balances = ["s_balances_0", "s_balances_1", "s_balances_2"]
    assert SPEC.numeric_columns == ["x_ltv", "x_income", "x_change", *balances]
    places = ["t_note_0", "t_note_1", "t_note_2", "t_note_3", "t_why_0", "t_why_1"]
    assert SPEC.code_columns == [
        "c_state", "c_area", *places, "s_states_0", "s_states_1", "s_states_2",
    ]  # fmt: skip
    read = ["ltv", "numeric_inputs", "change", "state", "categorical_inputs", "text_inputs"]
    assert SPEC.feature_columns == [*read, "balances", "states"]


def test_sequences_have_as_many_steps_as_each_other() -> None:
    longer = SPEC.categorical_sequences[0].model_copy(update={"steps": 4})
    with pytest.raises(ValidationError, match="as many steps as each other, not balances 3, states 4"):
        InputSpec.model_validate({**SPEC.model_dump(), "categorical_sequences": [longer.model_dump()]})


@pytest.mark.parametrize("expression", ["ltv + 1", "numeric_inputs[income]", "a.b", "f(x)", "m['a'] or 1"])
def test_expression_is_a_column_or_a_map_entry(expression: str) -> None:
    with pytest.raises(ValidationError, match="neither a column"):
        Candidate(name="x", expression=expression, kind="numeric")
