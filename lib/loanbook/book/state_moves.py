"""Moves between states in one period: which there are, which of them default, which end the loan."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.default_status import entry_states
from loanbook.settings.book import DefaultDefinition
from loanbook.tables.columns import STATES, TERMINAL_STATES

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

UNKNOWN = "unknown"  # an origin: a state that is not known, or too rare to be one of a model's
CENSORED = "removed"  # says where a loan went, and nothing of what became of it
DESTINATIONS = tuple(state for state in STATES if state != CENSORED)
NO_MOVE = -1
NEXT_STATE = "next_state"  # of labels the state; of a snapshot its place among the destinations

# Payments missed, as far as a state tells: a loan misses one more a month at most, and may pay any number.
MISSED = {
    "current": 0, "inactive": 0, "dpd30": 1, "dpd60": 2, "dpd90": 3, "foreclosure": 4, "reo": 5,
    "prepaid": 0, "matured": 0, "liquidated": 4,
}  # fmt: skip


@dataclass(frozen=True)
class StateMoves:
    """What is known of the moves of a book's loans from one report to the next.

    A loan moves from an *origin*, the unknown state or one in which loans perform, to a *destination*: any
    state but ``removed``, which is censored.

    Args:
        period_months: from one report to the next.
        default_states: those that are default by the definition, as far as a state tells.
        counts: training rows by origin and destination; None where none were counted.
    """

    period_months: int
    default_states: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...] | None = None

    @classmethod
    def of(cls, period_months: int, definition: DefaultDefinition) -> "StateMoves":
        """Return the moves of a book before any is counted.

        A liquidation counts as one with loss: the state does not tell.

        >>> StateMoves.of(1, DefaultDefinition()).origins
        ('unknown', 'current', 'dpd30', 'dpd60', 'inactive')
        """
        lost = ("liquidated",) if definition.liquidation_with_loss_is_default else ()
        return cls(period_months, (*entry_states(definition), *lost))

    @classmethod
    def read(cls, content: Any) -> "StateMoves | None":
        """Return the moves of a JSON file, None where it has none."""
        return None if content is None else TypeAdapter(cls).validate_python(content)

    @property
    def origins(self) -> tuple[str, ...]:
        """Return the states that a loan may move from before it defaults."""
        ends = (*self.default_states, *TERMINAL_STATES)
        return (UNKNOWN, *(state for state in STATES if state not in ends))

    @property
    def reachable(self) -> Flags:
        """Return which moves are possible, of shape (origins, destinations).

        Those of a training row, and those by which no more payments are missed than the period has months. Of
        an unknown origin all are, and of every origin before any move is counted.

        >>> moves = StateMoves.of(1, DefaultDefinition()).with_counts(np.zeros((5, 10)))
        >>> [DESTINATIONS[place] for place in np.flatnonzero(moves.reachable[2])]  # from dpd30
        ['current', 'dpd30', 'dpd60', 'inactive', 'prepaid', 'matured']
        """
        if self.counts is None:
            return np.ones((len(self.origins), len(DESTINATIONS)), bool)
        most = [len(DESTINATIONS), *(MISSED[one] + self.period_months for one in self.origins[1:])]
        missed = np.array([MISSED[state] for state in DESTINATIONS])
        return np.asarray((missed <= np.array(most)[:, None]) | (np.array(self.counts) > 0))

    def periods(self, horizon_months: int) -> int:
        """Return how many periods a horizon has.

        >>> StateMoves.of(3, DefaultDefinition()).periods(12)
        4
        """
        return horizon_months // self.period_months

    def ends(self, states: Sequence[str]) -> Floats:
        """Return where each destination lies in a chain, 0 or 1 of shape (destinations, states + 1).

        A state that a loan can move on from is its own place, or the unknown one's, default the last one.
        What ends a loan otherwise has none: such a loan defaults no more.

        Args:
            states: of the chain, the unknown one first.
        """
        places = np.zeros((len(DESTINATIONS), len(states) + 1))
        for row, state in enumerate(DESTINATIONS):
            if state in self.default_states:
                places[row, -1] = 1
            elif state in self.origins:
                places[row, states.index(state) if state in states else 0] = 1
        return places

    def counted(self, rows: DataFrame) -> npt.NDArray[np.int64]:
        """Return how often each move was made, of shape (origins, destinations).

        Args:
            rows: ``state``, and ``next_state`` as a place among the destinations.
        """
        counts = np.zeros((len(self.origins), len(DESTINATIONS)), np.int64)
        for row in rows.where(F.col(NEXT_STATE) != NO_MOVE).groupBy("state", NEXT_STATE).count().collect():
            origin = row["state"] if row["state"] in self.origins else UNKNOWN
            counts[self.origins.index(origin), int(row[NEXT_STATE])] += row["count"]
        return counts

    def with_counts(self, counts: npt.ArrayLike) -> "StateMoves":
        """Return the moves with those of training rows."""
        rows = np.asarray(counts, np.int64).tolist()
        return replace(self, counts=tuple(tuple(row) for row in rows))


def move_expr(next_state: Column) -> Column:
    """Return the place of a state among the destinations, -1 of none and of a censored one."""
    places = [F.when(next_state == state, F.lit(place)) for place, state in enumerate(DESTINATIONS)]
    return F.coalesce(*places, F.lit(NO_MOVE))
