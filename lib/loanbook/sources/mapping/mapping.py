"""A mapping file of ``conf/sources``: which files a tape has, their fields, and what they mean."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from loanbook.quality.history import HistoryCheck, Severity
from loanbook.settings.section import Key, Section, nearest, wrong_keys
from loanbook.sources.mapping.attributes import Attribute, AttributeName, expressions_of
from loanbook.sources.mapping.expressions import Expression, scope_of
from loanbook.sources.mapping.file_spec import FileSpec, MappingFile
from loanbook.sources.mapping.literals import literal_results
from loanbook.sources.mapping.money_columns import fields_of, unlike_money
from loanbook.tables.columns import STATES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.terminations import TERMINATIONS

BY_ENGINE = {
    "source", "slice", "delivery", "line", "known_on", "vintage", "product", "state_before_exit",
    "numeric_attributes", "categorical_attributes", "date_attributes", "text_attributes", "attribute_roles",
    "quality_flags", "tape_outcome",
    "default_status", "default_episode", "default_entry", "default_exit", "default_definition_id",
}  # fmt: skip
LOAN_COLUMNS = [name for name in LOANS.column_names if name not in BY_ENGINE]
PERFORMANCE_COLUMNS = [name for name in PERFORMANCE.column_names if name not in BY_ENGINE]
EXIT_COLUMNS = [
    name
    for name in TERMINATIONS.column_names
    if name not in BY_ENGINE and name not in ("loan_id", "as_of_date", "state")
]


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


def _checked(given: Mapping[str, str], key: str, known: list[str], required: tuple[str, ...]) -> None:
    """Refuse columns that the table does not have, and the lack of those that it must have.

    Raises:
        PydanticCustomError: names each with the columns that exist.
    """
    unknown = [name for name in given if name not in known]
    wrong: dict[Key, str] = {
        (key, name): f"no column{nearest(name, known, or_all=False)}; there are {', '.join(known)}"
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


class TapeMapping(MappingFile):
    """A loan tape: files, fields and canonical columns."""

    product: Literal["mortgage", "card", "personal"] = Field(
        description="kind of loan; of a card a balance may rise"
    )
    period_months: Literal[1, 3] = Field(1, description="months between two reports of a loan")
    known_lag_months: int = Field(ge=0, description="months after a reporting month until the tape shows it")
    slices: Literal["cohorts", "months"] = Field(
        "cohorts", description="what a slice is: some loans with all their months, or a month of all loans"
    )
    files: tuple[FileSpec, ...] = Field(min_length=1)
    loans: LoanMapping | None = None
    performance: PerformanceMapping
    outcome: TapeOutcome | None = None
    history: Literal["reported", "rebuilt"] = Field(
        "reported",
        description="rebuilt: months made from a final status, which no behavioural feature may read",
    )
    sampling: Literal["population", "case_control"] = Field(
        "population",
        description="case_control: loans were drawn by what became of them, so that rates mean nothing",
    )
    history_checks: dict[HistoryCheck, Severity] = Field(
        default_factory=dict, description="what follows from a month that does not fit the one before"
    )

    @model_validator(mode="after")
    def _kinds_present(self) -> Self:
        kinds = {file.kind for file in self.files}
        if "macro" in kinds:
            raise ValueError("files of kind macro belong to a mapping of series, for ingest-macro")
        lookups = [file.what for file in self.files if file.kind == "lookup"]
        joined = {name for file in self.files for name in file.joins}
        if len(set(lookups)) < len(lookups) or set(lookups) != joined:
            raise ValueError(
                f"lookups {', '.join(lookups) or 'none'}: each is required once, and joined by some file "
                f"(joined: {', '.join(sorted(joined)) or 'none'})"
            )
        has_terms = self.loans is not None and self.loans.of == "loans"
        if "performance" not in kinds or ("loans" in kinds) != has_terms:
            raise ValueError(
                "a performance file is required, and 'loans' exactly where there is a loans file, "
                "or with 'of: performance'"
            )
        return self

    @model_validator(mode="after")
    def _windows_see_every_month(self) -> Self:
        section = self.performance
        texts: dict[Key, str] = {
            **{("performance", "columns", name): text for name, text in section.columns.items()},
            **expressions_of(section.attributes, "performance"),
            **{("performance", "exits", name): text for name, text in section.exits.items()},
            **{("performance", "checks", name): check.when for name, check in section.checks.items()},
        }
        windows = [key for key, text in texts.items() if scope_of(text) != "row"]
        if self.slices == "months" and windows:
            why = (
                "a window sees the files of one run only, which with 'slices: months' are some of the "
                "months; compare months by history_checks"
            )
            raise wrong_keys(dict.fromkeys(windows, why))
        return self

    @model_validator(mode="after")
    def _money_is_read_as_money(self) -> Self:
        tables = [
            ("performance", ("performance", "columns"), self.performance.columns, PERFORMANCE),
            ("performance", ("performance", "exits"), self.performance.exits, TERMINATIONS),
        ]
        if self.loans is not None:
            tables.append((self.loans.of, ("loans", "columns"), self.loans.columns, LOANS))
        wrong: dict[Key, str] = {}
        for kind, place, columns, table in tables:
            named: dict[Key, str] = {(*place, name): text for name, text in columns.items()}
            for spec in self.files:
                if spec.kind == kind:
                    wrong |= unlike_money(named, table, fields_of(spec, self.files))
        if wrong:
            raise wrong_keys(wrong)
        return self

    @model_validator(mode="after")
    def _attributes_of_loan_or_month(self) -> Self:
        of_loans = {} if self.loans is None else self.loans.attributes
        why = "an attribute of the loan too, and both would be one input; give it another name"
        if both := self.performance.attributes.keys() & of_loans.keys():
            raise wrong_keys({("performance", "attributes", name): why for name in sorted(both)})
        return self

    @property
    def derived_terms(self) -> LoanMapping | None:
        """Return the mapping of loans that are derived from performance lines, if they are."""
        return self.loans if self.loans is not None and self.loans.of == "performance" else None
