"""Random small books for hypothesis: gaps short and long, exits, cures, loans of a single row."""

from hypothesis import Phase, settings
from hypothesis import strategies as st

from tests.features.books import BookLoan

_STATE = st.sampled_from(["current"] * 5 + ["dpd30", "dpd30", "dpd60", "dpd90", "foreclosure", "inactive"])
_MONTHS = st.integers(1, 5)
_SPELLS = st.lists(st.tuples(st.one_of(_STATE, _STATE, st.none()), _MONTHS), max_size=8)
_EXIT = st.sampled_from([None, None, "prepaid", "matured", "liquidated", "removed"])


@st.composite
def loan_states(draw: st.DrawFn) -> tuple[str | None, ...]:
    """Return the states of a loan's months, the first reported, at most one exit and nothing after it."""
    spells = [(draw(_STATE), draw(_MONTHS)), *draw(_SPELLS)]
    states = [state for state, months in spells for _ in range(months)]
    leaving = draw(_EXIT)
    return (*states, leaving) if leaving else tuple(states)


@st.composite
def books(draw: st.DrawFn, period_months: int = 1) -> list[BookLoan]:
    """Return a book of 25 loans, reported each period."""
    starts = draw(st.lists(st.integers(0, 12), min_size=25, max_size=25))
    return [
        BookLoan(f"L{k:02}", start, draw(loan_states()), period_months=period_months)
        for k, start in enumerate(starts)
    ]


# An example is a Spark job, and shrinking would run hundreds.
FEW = settings(max_examples=4, deadline=None, database=None, phases=(Phase.explicit, Phase.generate))
