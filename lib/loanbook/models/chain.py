"""Moves of one period put one after the other: NumPy and TensorFlow alike."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def chained(moves: Any, periods: int) -> Any:
    """Return the moves of several periods, the matrix power of those of one (Chapman-Kolmogorov).

    By squaring, so that twelve periods take four products, which ONNX has without a loop. Sums of what is
    never below 0 keep small probabilities as precise as large ones.

    Args:
        moves: of shape (..., states, states), from the row's state to the column's.
        periods: at least 1.

    >>> chained(np.array([[0.9, 0.1], [0.0, 1.0]]), 12)[0, 1].round(6) == round(1 - 0.9**12, 6)
    True
    """
    half = chained(moves, periods // 2) if periods > 1 else None
    if half is None:
        return moves
    return half @ half @ moves if periods % 2 else half @ half


def leaning(counts: Floats, towards: Floats, rows: float) -> Floats:
    """Return the probabilities of moves that were counted, drawn towards others by so many rows of these.

    The posterior mean under a Dirichlet prior (Grimshaw and Alexander 2011, *Markov chain models for
    delinquency*): (counts + rows * towards) / (sum of the counts + rows).

    Args:
        counts: of shape (..., destinations).
        towards: probabilities that broadcast to them.
        rows: more than 0.
    """
    return np.asarray((counts + rows * towards) / (counts.sum(axis=-1, keepdims=True) + rows))


def default_within(moves: Floats, ends: Floats, periods: int) -> Floats:
    """Return the probability of default within some periods from each state, of shape (..., states).

    Default is absorbing, and so is what ends a loan otherwise.

    Args:
        moves: probabilities of shape (..., states, destinations).
        ends: where each destination lies, of shape (destinations, states + 1) (``StateMoves.ends``).
        periods: at least 1.
    """
    states = moves.shape[-2]
    whole = np.zeros((*moves.shape[:-2], states + 1, states + 1))
    whole[..., :-1, :] = moves @ ends
    whole[..., -1, -1] = 1.0
    return np.asarray(chained(whole, periods)[..., :-1, -1])
