import pytest
from pydantic import ValidationError

from loanbook.models.inputs.spec import Candidate, InputSpec
from tests.models.specs import SPEC, WITHOUT_TEXT


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


def test_a_spec_saved_before_there_were_texts_loads_and_keeps_its_hash() -> None:
    saved = WITHOUT_TEXT.model_dump_json(exclude={"text"})
    assert InputSpec.model_validate_json(saved) == WITHOUT_TEXT
    assert WITHOUT_TEXT.content_hash() == "424515c8b9052c6a"
    assert SPEC.content_hash() != WITHOUT_TEXT.content_hash()


def test_columns_in_tensor_order() -> None:
    assert SPEC.numeric_columns == ["x_ltv", "x_income", "x_change"]
    places = ["t_note_0", "t_note_1", "t_note_2", "t_note_3", "t_why_0", "t_why_1"]
    assert SPEC.code_columns == ["c_state", "c_area", *places]
    assert [SPEC.code_columns[SPEC.first_place(text)] for text in (0, 1)] == ["t_note_0", "t_why_0"]
    read = ["ltv", "numeric_inputs", "change", "state", "categorical_inputs", "text_inputs"]
    assert SPEC.feature_columns == read


@pytest.mark.parametrize("expression", ["ltv + 1", "numeric_inputs[income]", "a.b", "f(x)", "m['a'] or 1"])
def test_expression_is_a_column_or_a_map_entry(expression: str) -> None:
    with pytest.raises(ValidationError, match="neither a column"):
        Candidate(name="x", expression=expression, kind="numeric")
