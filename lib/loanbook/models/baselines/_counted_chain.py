"""Moves counted by cell, a state and a band, and what they chain to."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanbook.book.state_moves import DESTINATIONS, NO_MOVE
from loanbook.models.chain import default_within, leaning
from loanbook.models.steps import Bins

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CountedChain:
    """Moves of one period by cell.

    Args:
        moves: probabilities of shape (states, bands, destinations).
        weights: of the rows that made a move, of shape (states, bands).
        ends: where each destination lies in the chain (``StateMoves.ends``).
        periods: of the horizon.
    """

    moves: Floats
    weights: Floats
    ends: Floats
    periods: int

    @classmethod
    def of(cls, counts: Floats, ends: Floats, periods: int, prior_rows: float) -> "CountedChain | None":
        """Return the moves of counts; None where none is into default.

        A cell leans on its state by ``prior_rows`` rows, and a state on all rows by one. A band that is the
        only one of its state does not lean on it.
        """
        overall = counts.sum(axis=(0, 1))
        if not overall[ends[:, -1] > 0].any():
            return None
        of_state = leaning(counts.sum(axis=1), overall / overall.sum(), 1.0)[:, None]
        moves = of_state if counts.shape[1] == 1 else leaning(counts, of_state, prior_rows)
        return cls(moves, counts.sum(axis=2), ends, periods)

    def rates(self) -> tuple[Floats, Floats]:
        """Return the PD within the horizon and the weight of each cell, of shape (states, bands)."""
        by_band = default_within(self.moves.transpose(1, 0, 2), self.ends, self.periods)
        return by_band.T, self.weights

    def in_words(self) -> Iterator[dict[str, float]]:
        """Yield the moves of each cell by destination, band after band of the first state, then the next."""
        for moves in self.moves.reshape(-1, len(DESTINATIONS)):
            yield {state: float(moves[place]) for place, state in enumerate(DESTINATIONS) if moves[place] > 0}


def counted_moves(
    cells: tuple[Bins, Bins], shape: tuple[int, int], moves: Bins, weight: npt.NDArray[np.float32]
) -> Floats:
    """Return the weight of the moves of each cell, of shape (states, bands, destinations).

    Args:
        cells: state and band of each row.
        shape: how many there are of each.
        moves: of each row, a place among the destinations, -1 of none.
        weight: of each row.
    """
    some, whole = moves != NO_MOVE, (*shape, len(DESTINATIONS))
    place = np.ravel_multi_index((cells[0][some], cells[1][some], moves[some]), whole)
    return np.asarray(np.bincount(place, weight[some], int(np.prod(whole))), np.float64).reshape(whole)
