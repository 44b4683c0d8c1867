"""What a model takes: its inputs, how each is read, and the constants of its first layers."""

import hashlib
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

_EXPRESSION = re.compile(r"^([A-Za-z_]\w*)(\['[^'\\]+'\])?$")


def _plain(expression: str) -> str:
    if not _EXPRESSION.match(expression):
        raise ValueError(
            f"{expression!r} is neither a column nor an entry of a map such as numeric_inputs['income']"
        )
    return expression


Expression = Annotated[str, AfterValidator(_plain)]


def column_of(expression: str) -> str:
    """Return the features column that an expression reads.

    >>> column_of("numeric_inputs['income']")
    'numeric_inputs'
    """
    return expression.split("[", 1)[0]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Candidate(_Frozen):
    """An input that a model may take: the fit decides whether the training rows support it.

    ``log`` says whether a numeric input is taken as log(1 + x); None leaves it to the training rows.
    """

    name: str
    expression: Expression
    kind: Literal["numeric", "categorical", "text", "sequence"]
    log: bool | None = None


class NumericInput(_Frozen):
    """A number: missing takes ``fill``; clip to [low, high]; log(1 + x) where ``log``; (x - mean) / std.

    Robust scaling takes ``median`` and ``spread`` in the place of the last two: the range between the
    quartiles or, where these agree, half of that between ``low`` and ``high``. Training rows support it from
    ``least`` to ``most``, and ``edges`` part them into bins of about as many rows each, from ``low`` to
    ``high``. A model that an earlier version trained has None of these, and no edges.
    """

    name: str
    expression: Expression
    log: bool
    low: float
    high: float
    fill: float
    mean: float
    std: float
    missing_share: float
    least: float | None = None
    most: float | None = None
    edges: tuple[float, ...] = ()
    median: float | None = None
    spread: float | None = None

    @property
    def column(self) -> str:
        """Return the name of its float32 column, NaN for missing."""
        return f"x_{self.name}"


class CategoricalInput(_Frozen):
    """A category: its code is 1 + the position in ``vocabulary``, 0 for missing or unknown."""

    name: str
    expression: Expression
    vocabulary: tuple[str, ...]

    @property
    def column(self) -> str:
        """Return the name of its int32 column of codes."""
        return f"c_{self.name}"


class TextInput(_Frozen):
    """A text: its first ``tokens`` words that ``vocabulary`` has, in order.

    A word's code is 1 + its position in ``vocabulary``; places after the last known word hold 0.
    """

    name: str
    expression: Expression
    vocabulary: tuple[str, ...]
    tokens: int

    @property
    def column(self) -> str:
        """Return what the names of its columns begin with."""
        return f"t_{self.name}"

    @property
    def columns(self) -> list[str]:
        """Return the names of its int32 columns of codes, one a place."""
        return [f"{self.column}_{place}" for place in range(self.tokens)]


class _Sequence(_Frozen):
    """Something in each of the last ``steps`` periods, the latest last."""

    name: str
    expression: Expression
    steps: int

    @property
    def column(self) -> str:
        """Return what the names of its columns begin with."""
        return f"s_{self.name}"

    @property
    def columns(self) -> list[str]:
        """Return the names of its columns, one a step.

        >>> CategoricalSequence(name="state", expression="state_last_12m", steps=2, size=8).columns
        ['s_state_0', 's_state_1']
        """
        return [f"{self.column}_{step}" for step in range(self.steps)]


class NumericSequence(_Sequence):
    """Numbers: at each step clip to [low, high], (x - mean) / std; NaN for missing becomes 0, the mean."""

    low: float
    high: float
    mean: float
    std: float
    missing_share: float


class CategoricalSequence(_Sequence):
    """Codes from 1 to ``size`` - 1 at each step; 0 for missing, and for a code beyond those of training."""

    size: int


class InputSpec(_Frozen):
    """The inputs of a model, in the order of its tensors; the same content has the same hash.

    A model has two tensors. The numbers (float32) are those of ``numeric``, then the steps of
    ``numeric_sequences``; the codes (int32) those of ``categorical``, the places of ``text``, then the steps
    of ``categorical_sequences``.
    """

    numeric: tuple[NumericInput, ...]
    categorical: tuple[CategoricalInput, ...]
    text: tuple[TextInput, ...] = ()
    numeric_sequences: tuple[NumericSequence, ...] = ()
    categorical_sequences: tuple[CategoricalSequence, ...] = ()

    @model_validator(mode="after")
    def _of_one_length(self) -> "InputSpec":
        if len({item.steps for item in self.sequences}) > 1:
            found = ", ".join(f"{item.name} {item.steps}" for item in self.sequences)
            raise ValueError(f"sequences must have as many steps as each other, not {found}")
        return self

    @property
    def sequences(self) -> tuple[NumericSequence | CategoricalSequence, ...]:
        """Return the sequences of numbers, then those of codes."""
        return (*self.numeric_sequences, *self.categorical_sequences)

    @property
    def numeric_columns(self) -> list[str]:
        """Return the names of the float32 columns, in tensor order."""
        steps = [column for item in self.numeric_sequences for column in item.columns]
        return [item.column for item in self.numeric] + steps

    @property
    def code_columns(self) -> list[str]:
        """Return the names of the int32 columns, in tensor order."""
        several: tuple[TextInput | CategoricalSequence, ...] = (*self.text, *self.categorical_sequences)
        return [item.column for item in self.categorical] + [c for item in several for c in item.columns]

    @property
    def feature_columns(self) -> list[str]:
        """Return the features columns that the spec reads, without repeats."""
        items = (*self.numeric, *self.categorical, *self.text, *self.sequences)
        return list(dict.fromkeys(column_of(item.expression) for item in items))

    def content_hash(self) -> str:
        """Return 16 hex digits over the whole content."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
