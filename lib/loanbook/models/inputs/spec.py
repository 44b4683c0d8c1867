"""What a model takes: its inputs, how each is read, and the constants of its first layers."""

import hashlib
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

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
    kind: Literal["numeric", "categorical", "text"]
    log: bool | None = None


class NumericInput(_Frozen):
    """A number: missing takes ``fill``; clip to [low, high]; log(1 + x) where ``log``; (x - mean) / std."""

    name: str
    expression: Expression
    log: bool
    low: float
    high: float
    fill: float
    mean: float
    std: float
    missing_share: float

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


class InputSpec(_Frozen):
    """The inputs of a model, in the order of its tensors; the same content has the same hash."""

    numeric: tuple[NumericInput, ...]
    categorical: tuple[CategoricalInput, ...]
    text: tuple[TextInput, ...] = ()

    @property
    def numeric_columns(self) -> list[str]:
        """Return the names of the float32 columns, in tensor order."""
        return [item.column for item in self.numeric]

    @property
    def code_columns(self) -> list[str]:
        """Return the names of the int32 columns, in tensor order."""
        texts = [column for item in self.text for column in item.columns]
        return [item.column for item in self.categorical] + texts

    def first_place(self, position: int) -> int:
        """Return where the columns of the text at ``position`` begin among the int32 columns."""
        return len(self.categorical) + sum(item.tokens for item in self.text[:position])

    @property
    def feature_columns(self) -> list[str]:
        """Return the features columns that the spec reads, without repeats."""
        expressions = [item.expression for item in self.numeric]
        expressions += [item.expression for item in self.categorical]
        expressions += [item.expression for item in self.text]
        return list(dict.fromkeys(column_of(expression) for expression in expressions))

    def content_hash(self) -> str:
        """Return 16 hex digits over the whole content."""
        # Without a text it is as it was before there were any: specs of that time keep their hash.
        content = self.model_dump_json(exclude=None if self.text else {"text"})
        return hashlib.sha256(content.encode()).hexdigest()[:16]
