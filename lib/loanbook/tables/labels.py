"""``labels``: what happened within each horizon after each month, once it has passed; the tape's own outcome."""

from loanbook.errors import InputError
from loanbook.tables.base import Column, Table
from loanbook.tables.columns import AS_OF_DATE, DEFINITION, LOAN_ID, SOURCE, STATES, one_of

HORIZONS = (6, 12, 24)
MAIN_HORIZON = 12
LABEL_STATUSES = ("observed", "in_default", "not_matured", "censored", "history_gap", "tape_outcome")


def status_column(horizon: int) -> str:
    """Return the column that says whether a row has a label of that many months, or why it has none.

    >>> status_column(12), status_column(24)
    ('label_status', 'label_status_24m')

    Raises:
        InputError: there are no labels of that horizon.
    """
    if horizon not in HORIZONS:
        raise InputError(
            required=f"a horizon that labels have: {', '.join(map(str, HORIZONS))} months",
            found=f"{horizon} months",
            do="give the model's head one of these horizons",
        )
    return "label_status" if horizon == MAIN_HORIZON else f"label_status_{horizon}m"


def _columns(horizon: int) -> tuple[Column, ...]:
    return (
        Column(
            status_column(horizon),
            "STRING",
            f"Of the {horizon}-month labels: observed, in_default, not_matured, censored, history_gap or tape_outcome",
            required=True,
        ),
        Column(
            f"default_{horizon}m",
            "INT",
            f"1: default entered within {horizon} months; 0: not, prepaid and matured included; else null",
        ),
        Column(
            f"default_{horizon}m_regulatory",
            "INT",
            f"As default_{horizon}m, with loans removed without default counted as 0",
        ),
    )


def _constraints(horizon: int) -> dict[str, str]:
    status, label = status_column(horizon), f"default_{horizon}m"
    return {
        f"status_known_{horizon}m": one_of(status, LABEL_STATUSES),
        f"label_binary_{horizon}m": f"{label} IS NULL OR {label} IN (0, 1)",
        f"tape_outcome_has_its_status_{horizon}m": f"({status} = 'tape_outcome') = (tape_outcome IS NOT NULL)",
        f"label_only_if_observed_{horizon}m": f"({status} = 'observed') = ({label} IS NOT NULL)",
        f"regulatory_label_{horizon}m": f"{label}_regulatory <=> CASE {status} WHEN 'censored' THEN 0 ELSE {label} END",
    }


_IN_ORDER = (MAIN_HORIZON, *(horizon for horizon in HORIZONS if horizon != MAIN_HORIZON))

LABELS = Table(
    name="labels",
    description="One row for each loan in the book and month: fixed-horizon labels, null until matured",
    columns=(
        SOURCE,
        LOAN_ID,
        AS_OF_DATE,
        *(column for horizon in _IN_ORDER for column in _columns(horizon)),
        Column(
            "tape_outcome",
            "INT",
            "The tape's own outcome, in the month in which the tape declares it: 1 bad, 0 good; else null",
        ),
        Column("next_state", "STRING", "State exactly one period later; null across a gap"),
        DEFINITION,
    ),
    key=("source", "loan_id", "as_of_date"),
    partitions=("as_of_date",),
    constraints={
        **{name: condition for horizon in HORIZONS for name, condition in _constraints(horizon).items()},
        "tape_outcome_binary": "tape_outcome IS NULL OR tape_outcome IN (0, 1)",
        "next_state_known": one_of("next_state", STATES),
    },
)
