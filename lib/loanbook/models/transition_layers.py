"""Scores of the head ``transition`` to probabilities: the matrix of moves, and its chain (``chain.py``)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.book.state_moves import DESTINATIONS, UNKNOWN, StateMoves
from loanbook.models.chain import chained

IMPOSSIBLE = -1e9  # a logit whose probability is 0 in float32


class OriginOf(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Codes of the state, int32 (rows,), to origins, one-hot float32 (rows, origins).

    Args:
        vocabulary: states of the codes from 1 on; 0, and a state that is no origin, is the unknown one.
        origins: the unknown one first.
    """

    def __init__(self, vocabulary: Sequence[str], origins: Sequence[str], **options: Any) -> None:
        super().__init__(**options)
        known = [state if state in origins else UNKNOWN for state in (UNKNOWN, *vocabulary)]
        self._table = np.eye(len(origins), dtype=np.float32)[[origins.index(state) for state in known]]

    def call(self, codes: Any) -> Any:
        """Return the origins."""
        return tf.gather(tf.constant(self._table), codes)


def with_origin(logits: Any, origin: Any) -> Any:
    """Return the scores, (rows, units) or (rows, submodels, units): logits, then the row's origin."""
    if len(logits.shape) == 3:
        _, submodels, _ = logits.shape
        origin = tf.repeat(origin[:, tf.newaxis, :], submodels, axis=1)
    return tf.concat([logits, origin], axis=-1)


def own_log_moves(scores: Any, moves: StateMoves) -> Any:
    """Return the log probability of each move from the row's own state, (rows, destinations)."""
    matrix, origin = _parted(scores, moves)
    return tf.nn.log_softmax(tf.reduce_sum(matrix * origin[:, :, tf.newaxis], axis=1))


class Chain(tf.keras.layers.Layer):  # type: ignore[misc]  # TensorFlow ships no types
    """Scores to (rows, 1 + destinations): the PD within some periods, then the moves from the row's state.

    The matrix of moves is the row's own, and stays as it is over the periods. Default and what ends a loan
    otherwise are absorbing.
    """

    def __init__(self, moves: StateMoves, periods: int, **options: Any) -> None:
        super().__init__(**options)
        self._moves, self._periods = moves, periods

    def call(self, scores: Any) -> Any:
        """Return the probabilities."""
        matrix, origin = _parted(scores, self._moves)
        moves, places = tf.nn.softmax(matrix), len(self._moves.origins) + 1
        default = np.zeros((places, places), np.float32)
        default[-1, -1] = 1
        ends = tf.constant(self._moves.ends(self._moves.origins).astype(np.float32))
        whole = tf.pad(tf.matmul(moves, ends), [[0, 0], [0, 1], [0, 0]]) + tf.constant(default)
        pd = tf.reduce_sum(chained(whole, self._periods)[:, :-1, -1] * origin, axis=1, keepdims=True)
        return tf.concat([pd, tf.reduce_sum(moves * origin[:, :, tf.newaxis], axis=1)], axis=1)


def _parted(scores: Any, moves: StateMoves) -> tuple[Any, Any]:
    """Return the logits of all moves, (rows, origins, destinations), and the row's origin, one-hot."""
    reachable = moves.reachable
    pairs, origins = int(reachable.sum()), len(moves.origins)
    place = np.full(reachable.shape, pairs)  # of an impossible move: that of the logit after the last
    place[reachable] = np.arange(pairs)
    padded = tf.pad(scores[:, :pairs], [[0, 0], [0, 1]], constant_values=IMPOSSIBLE)
    logits = tf.gather(padded, tf.constant(place.ravel()), axis=1)
    return tf.reshape(logits, (-1, origins, len(DESTINATIONS))), scores[:, pairs:]
