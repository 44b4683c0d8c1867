"""Every published table, by its name."""

from loanbook.features.catalogue.table import FEATURES
from loanbook.tables.base import Table
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.evaluations import EVALUATIONS
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.labels import LABELS
from loanbook.tables.loans import LOANS
from loanbook.tables.macro import MACRO
from loanbook.tables.neighbourhood import NEIGHBOURHOOD
from loanbook.tables.outcomes import OUTCOMES
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.predictions import PREDICTIONS
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.runs import RUNS
from loanbook.tables.scores import SCORES
from loanbook.tables.superseded import SUPERSEDED
from loanbook.tables.terminations import TERMINATIONS

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        DELIVERIES,
        EVALUATIONS,
        FEATURE_STATE,
        FEATURES,
        LABELS,
        LOANS,
        MACRO,
        NEIGHBOURHOOD,
        OUTCOMES,
        PERFORMANCE,
        PREDICTIONS,
        QUARANTINE,
        RUNS,
        SCORES,
        SUPERSEDED,
        TERMINATIONS,
    )
}
