from itertools import product
from typing import Any

import numpy as np
import pytest

from loanbook.book.state_moves import DESTINATIONS, StateMoves
from loanbook.models.chain import chained, default_within, leaning
from loanbook.settings.book import DefaultDefinition

BOOK = StateMoves.of(1, DefaultDefinition())


def some_moves(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(len(DESTINATIONS), 0.5), size=(3, len(BOOK.origins)))


def by_paths(moves: Any, origin: int, periods: int) -> float:
    """The probability of every path into default, one destination after the other."""
    total = 0.0
    for steps in range(1, periods + 1):
        for path in product(range(len(DESTINATIONS)), repeat=steps):
            at, chance = origin, 1.0
            for place, to in enumerate(path):
                chance *= moves[at, to]
                state, last = DESTINATIONS[to], place == steps - 1
                if last:
                    chance *= state in ("dpd90", "foreclosure", "reo", "liquidated")
                elif state in ("current", "dpd30", "dpd60", "inactive"):
                    at = BOOK.origins.index(state)
                else:
                    chance = 0.0
                    break
            total += chance
    return total


@pytest.mark.parametrize("periods", [1, 2, 3])
def test_default_is_reached_by_every_path_that_enters_it_once(periods: int) -> None:
    moves = some_moves(1)
    found = default_within(moves, BOOK.ends(BOOK.origins), periods)
    for row, origin in ((0, 1), (1, 3), (2, 0)):
        assert found[row, origin] == pytest.approx(by_paths(moves[row], origin, periods), rel=1e-12)


@pytest.mark.parametrize("periods", range(1, 25))
def test_a_chain_is_as_many_steps_one_after_the_other(periods: int) -> None:
    moves = np.random.default_rng(2).dirichlet(np.ones(4), size=(5, 4))
    state = np.broadcast_to(np.eye(4), (5, 4, 4))
    for _ in range(periods):
        state = np.einsum("nij,njk->nik", state, moves)
    np.testing.assert_allclose(chained(moves, periods), state, rtol=1e-12)


def test_counts_lean_and_few_lean_more() -> None:
    towards = np.array([0.5, 0.5, 0.0])
    found = leaning(np.array([[0.0, 2.0, 2.0], [0.0, 0.0, 0.0]]), towards, 4.0)
    np.testing.assert_allclose(found, np.array([[0.25, 0.5, 0.25], [0.5, 0.5, 0.0]]))
