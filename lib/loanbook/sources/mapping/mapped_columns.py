"""The canonical columns that a mapping fills by expressions."""

from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.terminations import TERMINATIONS

LOAN_COLUMNS = LOANS.filled_by("mapping")
PERFORMANCE_COLUMNS = PERFORMANCE.filled_by("mapping")
EXIT_COLUMNS = tuple(
    name for name in TERMINATIONS.filled_by("mapping") if name not in PERFORMANCE.column_names
)
