"""What a mapping may say: its keys, the columns that it fills, the functions of its expressions."""

from collections.abc import Mapping

from pydantic import BaseModel

from docs.parts.markdown import HEADER, REQUIRED, code, rows
from docs.parts.settings import key_row, key_rows, key_table
from loanbook.sources.mapping.attributes import Attribute
from loanbook.sources.mapping.expressions import FUNCTIONS, SAFE_FORMS, WINDOW_FUNCTIONS
from loanbook.sources.mapping.file_spec import FieldType, FileSpec
from loanbook.sources.mapping.macro_mapping import MacroFileSpec, MacroMapping
from loanbook.sources.mapping.mapped_columns import EXIT_COLUMNS, LOAN_COLUMNS, PERFORMANCE_COLUMNS
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.sections import Check, LoanMapping, PerformanceMapping, TapeOutcome
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.terminations import TERMINATIONS

MAPPING_PARTS: Mapping[str, type[BaseModel]] = {
    "The file": TapeMapping,
    "An entry of `files`": FileSpec,
    "A field": FieldType,
    "`loans`": LoanMapping,
    "`performance`": PerformanceMapping,
    "A check": Check,
    "An attribute": Attribute,
    "`outcome`": TapeOutcome,
}


def mapping_keys() -> str:
    """Return every key of a mapping of a tape."""
    return "\n".join(f"### {title}\n\n{key_table(model)}\n" for title, model in MAPPING_PARTS.items())


def macro_keys() -> str:
    """Return the keys that a mapping of series has of its own."""
    own = {
        name: field for name, field in MacroFileSpec.model_fields.items() if name not in FileSpec.model_fields
    }
    lines = [*key_rows(MacroMapping.model_fields), *(key_row(f"files: {name}", own[name]) for name in own)]
    return rows(HEADER, lines)


def functions() -> str:
    """Return the functions that an expression of a mapping may call."""
    listed = [("of one row", FUNCTIONS), ("with a window, `OVER (...)`", WINDOW_FUNCTIONS)]
    allowed = [f"- {kind}: {', '.join(map(code, sorted(names)))}" for kind, names in listed]
    refused = [f"- `{name}`: write `{form}`" for name, form in SAFE_FORMS.items()]
    return (
        "\n".join(allowed)
        + "\n\nRefused, with what to write instead, because they fail the whole job on one bad value:\n\n"
        + "\n".join(refused)
    )


def canonical_columns() -> str:
    """Return the columns that a mapping may fill, by section, with their type and meaning."""
    sections = (
        ("performance: columns", PERFORMANCE, PERFORMANCE_COLUMNS, ("loan_id", "as_of_date", "state")),
        ("performance: exits", TERMINATIONS, EXIT_COLUMNS, ()),
        ("loans: columns", LOANS, LOAN_COLUMNS, ("loan_id",)),
    )
    parts = []
    for title, table, names, needed in sections:
        lines = [
            (
                code(item.name) + (f", {REQUIRED}" if item.name in needed else ""),
                code(item.type),
                item.comment,
            )
            for item in table.columns
            if item.name in names
        ]
        parts.append(f"### `{title}`\n\n{rows(('column', 'type', 'meaning'), lines)}\n")
    return "\n".join(parts)
