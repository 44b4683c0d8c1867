"""A mapping of economic series: which files, and which expression gives each series' value."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from loanbook.sources.mapping.expressions import Expression
from loanbook.sources.mapping.file_spec import FieldType, FileSpec, MappingFile

# How statistical agencies and spreadsheets write that a series has no value.
NO_VALUE = (
    ".", "..", "-", "NaN", "nan", "NAN", "NA", "N/A", "n/a", "#N/A", "#NA", "null", "NULL", "None",
)  # fmt: skip


def _with_no_value(fields: dict[str, FieldType]) -> dict[str, FieldType]:
    """Return the fields with ``NO_VALUE`` as sentinels of their numbers."""
    return {
        name: field.model_copy(update={"missing": (*field.missing, *NO_VALUE)})
        if field.type in ("int", "double", "money")
        else field
        for name, field in fields.items()
    }


Fields = Annotated[dict[str, FieldType], AfterValidator(_with_no_value)]


class MacroFileSpec(FileSpec):
    """A file of series, long or wide: a series whose value is null in a line is not in that line."""

    kind: Literal["macro"] = "macro"
    fields: Fields = Field(default_factory=dict)
    layouts: tuple[Fields, ...] = ()
    region: Expression = Field(description="the line's region: US, or a state's two letters")
    month: Expression = Field(description="the line's month, as any day of it")
    known_on: Expression | None = Field(
        None, description="the day a line's values became known, where the file says it; else the lag's"
    )
    values: dict[str, Expression] = Field(min_length=1, description="by series: its value in the line")


class MacroMapping(MappingFile):
    """A source of economic series."""

    files: tuple[MacroFileSpec, ...] = Field(min_length=1)
    lag_months: dict[str, int] = Field(
        description="by series: how many months after its own month a value is known"
    )

    @model_validator(mode="after")
    def _every_lag_given(self) -> Self:
        series = {name for file in self.files for name in file.values}
        if missing := sorted(series - set(self.lag_months)):
            raise ValueError(f"lag_months lacks {', '.join(missing)}")
        return self
