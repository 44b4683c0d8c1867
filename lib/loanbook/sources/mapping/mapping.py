"""A mapping file of ``conf/sources``: which files a tape has, their fields, and what they mean."""

from typing import Literal, Self

from pydantic import Field, model_validator

from loanbook.quality.history_checks import HistoryCheck, Severity
from loanbook.settings.section import Key, wrong_keys
from loanbook.sources.mapping.attributes import expressions_of
from loanbook.sources.mapping.expressions import scope_of
from loanbook.sources.mapping.file_spec import FileSpec, MappingFile
from loanbook.sources.mapping.money_columns import fields_of, unlike_money
from loanbook.sources.mapping.sections import LoanMapping, PerformanceMapping, TapeOutcome
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.terminations import TERMINATIONS


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
