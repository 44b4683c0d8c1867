"""What a mapping says of loans, of their months, and of the tape's own outcome."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from loanbook.settings.section import Key, Section, nearest, wrong_keys
from loanbook.sources.mapping.attributes import Attribute, AttributeName, expressions_of
from loanbook.sources.mapping.expressions import Expression, scope_of
from loanbook.sources.mapping.literals import literal_results
from loanbook.sources.mapping.mapped_columns import EXIT_COLUMNS, LOAN_COLUMNS, PERFORMANCE_COLUMNS
from loanbook.tables.columns import STATES


class Check(Section):
    """A condition on a line, and what follows where it is true."""

    when: Expression = Field(description="condition that is true of a line with the fault")
    severity: Literal["reject", "flag", "halt"] = Field(
        "reject",
        description="reject: to quarantine; flag: kept, its score is flagged; halt: nothing is published",
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, content: Any) -> Any:
        return {"when": content} if isinstance(content, str) else content

    @model_validator(mode="after")
    def _flag_looks_back(self) -> Self:
        if self.severity == "flag" and scope_of(self.when) == "whole_tape":
            raise ValueError(
                "a flag goes to the scores of its month and may not read later rows: order its window by "
                "month, without lead, DESC or FOLLOWING, or make it a reject or a halt"
            )
        return self


Checks = dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Check]


class LoanMapping(Section):
    """Canonical columns of ``loans`` as expressions over the fields of the loans file.

    With ``of: performance`` there is no loans file: a loan's terms are those of its first reported month.
    """

    of: Literal["loans", "performance"] = Field(
        "loans", description="the file that terms are read from; performance: the loan's first month"
    )
    columns: dict[str, Expression] = Field(description="column of loans to expression")
    attributes: dict[AttributeName, Attribute] = Field(
        default_factory=dict, description="what else the tape says once of a loan"
    )
    checks: Checks = Field(default_factory=dict, description="name to condition, or to when and severity")
    without_performance: Literal["keep", "set_aside"] = Field(
        "keep", description="what becomes of terms of a loan that no month was reported of"
    )

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        _looks_back({("columns", name): text for name, text in self.columns.items()})
        _looks_back(expressions_of(self.attributes, role="input"))
        _checked(self.columns, "columns", LOAN_COLUMNS, ("loan_id",))
        return self


class PerformanceMapping(Section):
    """Canonical columns of ``performance`` and ``terminations`` as expressions over the performance file."""

    columns: dict[str, Expression] = Field(description="column of performance to expression")
    attributes: dict[AttributeName, Attribute] = Field(
        default_factory=dict, description="those that change with the month, known with its row"
    )
    exits: dict[str, Expression] = Field(
        default_factory=dict, description="column of terminations to expression, on a loan's last line"
    )
    checks: Checks = Field(default_factory=dict, description="name to condition, or to when and severity")

    @model_validator(mode="after")
    def _known_columns(self) -> Self:
        # A state may need what follows, where a tape marks an account's end only by what comes after.
        _looks_back({("columns", name): text for name, text in self.columns.items() if name != "state"})
        _looks_back(expressions_of(self.attributes, role="input"))
        _checked(self.exits, "exits", EXIT_COLUMNS, ())
        _checked(self.columns, "columns", PERFORMANCE_COLUMNS, ("loan_id", "as_of_date", "state"))
        _gives_states(self.columns["state"])
        return self


def _looks_back(expressions: Mapping[Key, str]) -> None:
    """Refuse what features would read of months to come.

    Raises:
        PydanticCustomError: an expression reads later rows.
    """
    if ahead := [key for key, text in expressions.items() if scope_of(text) == "whole_tape"]:
        why = (
            "features read it and may not know later rows; order the window by the month's field, without "
            "lead, DESC or FOLLOWING, or give the attribute another role than input"
        )
        raise wrong_keys(dict.fromkeys(ahead, why))


def _gives_states(expression: str) -> None:
    """Refuse a text that can become a state and is none: its lines would all go to quarantine.

    Raises:
        PydanticCustomError: names it, the nearest state, and all of them.
    """
    if unknown := [text for text in literal_results(expression) if text not in STATES]:
        shown = ", ".join(repr(text) + nearest(text.lower(), list(STATES), or_all=False) for text in unknown)
        why = f"no state: {shown}; the states are {', '.join(STATES)}"
        raise wrong_keys({("columns", "state"): why})


def _checked(given: Mapping[str, str], key: str, known: Sequence[str], required: tuple[str, ...]) -> None:
    """Refuse columns that the table does not have, and the lack of those that it must have.

    Raises:
        PydanticCustomError: names each with the columns that exist.
    """
    unknown = [name for name in given if name not in known]
    wrong: dict[Key, str] = {
        (key, name): f"no column{nearest(name, list(known), or_all=False)}; there are {', '.join(known)}"
        for name in unknown
    }
    if missing := sorted(set(required) - set(given)):
        wrong[key,] = f"missing columns {', '.join(missing)}"
    if wrong:
        raise wrong_keys(wrong)


class TapeOutcome(Section):
    """The tape's own outcome, which is no default of this project's definition."""

    expression: Expression = Field(description="true where bad, false where good, null where not known")
    definition: str = Field(min_length=1, description="what counts as bad, in words")
    horizon_months: int | Literal["to_maturity"] = Field(description="months within which it is observed")
    grain: Literal["loan", "loan_month"] = Field(
        description="whether it is said once a loan, in the month of its application, or of every month"
    )
