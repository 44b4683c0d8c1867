"""Scores of the head ``term_structure`` to hazards of two competing events and what follows, in TensorFlow.

In each period a loan at risk has a softmax over default, prepayment and staying, whose logit is 0. Of curves
that are made, ``incidence.py`` has the same quantities in NumPy.
"""

from typing import Any

import tensorflow as tf

from loanbook.models.incidence import Floats


def log_hazards(scores: Any, basis: Floats) -> tuple[Any, Any]:
    """Return log(h / h_S) of both events, (rows, 2, periods), and log h_S, (rows, periods).

    Args:
        scores: coefficients of the splines, those of default first, (rows, 2 * splines).
        basis: the splines, (splines, periods).
    """
    splines = tf.constant(basis, tf.float32)
    logits = tf.matmul(tf.reshape(scores, (-1, 2, len(basis))), splines)
    top = tf.maximum(tf.reduce_max(logits, axis=1), 0.0)  # so that no exponential overflows
    whole = tf.exp(-top) + tf.reduce_sum(tf.exp(logits - top[:, None]), axis=1)
    return logits, -top - tf.math.log(whole)


def log_incidences(logits: Any, stay: Any) -> Any:
    """Return log f of both events, (rows, 2, periods), of what ``log_hazards`` returns."""
    return tf.cumsum(stay, axis=1)[:, None] + logits  # log S(t - 1) + log h = log S(t) + log(h / h_S)


def log_likelihood(logits: Any, stay: Any, at_risk: Any, event: Any) -> Any:
    """Return the log of the probability of each row's periods at risk and of its event in the last, (rows,).

    It is minus a cross-entropy over three classes, summed over the periods at risk within the curve.

    Args:
        logits: of both events, (rows, 2, periods).
        stay: log h_S, (rows, periods).
        at_risk: periods that the row was at risk, a begun one counts, (rows,).
        event: code of the event that ended them (``follow_up.py``), (rows,).
    """
    last = tf.math.ceil(at_risk)[:, None]
    period = tf.range(1, stay.shape[1] + 1, dtype=tf.float32)[None]
    within = tf.cast(period <= last, tf.float32)
    came = tf.one_hot(tf.cast(event, tf.int32), 2)[:, :, None] * tf.cast(period == last, tf.float32)[:, None]
    # The event instead of staying, in the last period at risk.
    return tf.reduce_sum(within * stay, 1) + tf.reduce_sum(came * logits, [1, 2])


def log_of_label(logits: Any, stay: Any, label: Any, year: int) -> Any:
    """Return the log of the probability of each row's 12-month label, 0 where it is NaN, (rows,).

    Args:
        logits: of both events, (rows, 2, periods).
        stay: log h_S, (rows, periods).
        label: 1 of default, 0 of none, (rows,).
        year: periods that make 12 months.
    """
    defaulted, not_defaulted = _log_year(logits[:, :, :year], stay[:, :year])
    known = tf.logical_not(tf.math.is_nan(label))
    of_label = tf.where(tf.where(known, label, 0.0) > 0, defaulted, not_defaulted)
    return tf.where(known, of_label, 0.0)


def _log_year(logits: Any, stay: Any) -> tuple[Any, Any]:
    """Return the log of the probability of default within the periods, and of none, each (rows,)."""
    both = log_incidences(logits, stay)
    survival = tf.reduce_sum(stay, axis=1, keepdims=True)
    neither = tf.concat([both[:, 1], survival], axis=1)
    return tf.reduce_logsumexp(both[:, 0], axis=1), tf.reduce_logsumexp(neither, axis=1)
