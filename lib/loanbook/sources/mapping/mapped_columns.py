"""The canonical columns that a mapping fills by expressions."""

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
