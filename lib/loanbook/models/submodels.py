"""Submodels of one network: a backbone that makes hidden units of several is trained and used as their mean.

Each submodel learns from its own loss, and what the network says is the mean of their probabilities
(Gorishniy, Kotelnikov and Babenko 2024, *TabM*). A head speaks of the scores of one
submodel and knows of no other: here they are folded into the rows, so that any head serves.
"""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.models.head import Floats, Head
from loanbook.models.inputs.rows import Rows
from loanbook.models.submodel_layers import MeanOfSubmodels
from loanbook.settings.model import Emphasis

PLAIN = Emphasis()
ROWS_AT_ONCE = 16_384  # rows whose losses are taken in one call


def probabilities(target: Head, scores: Any) -> Any:
    """Return the tensor of probabilities, (rows, outputs): of several submodels their mean.

    Args:
        target: the head.
        scores: (rows, units), or (rows, submodels, units).
    """
    if len(scores.shape) == 2:
        return target.probabilities(scores)
    _, submodels, units = scores.shape
    each = target.probabilities(tf.reshape(scores, (-1, units)))
    return MeanOfSubmodels(submodels, target.outputs, name="mean_of_submodels")(each)


def losses_to_train(target: Head, scores: Any, targets: Any, emphasis: Emphasis = PLAIN) -> Any:
    """Return each row's loss, (rows,): of several submodels the mean of theirs.

    Were it the loss of their mean, each would only have to mend what the others leave.

    Where positives weigh w, the loss is of scores + log w: a model that learns from a sample in which the
    odds are w times those of the book is off by log w (King and Zeng 2001, *Logistic Regression in Rare
    Events Data*, prior correction), so that the scores themselves keep the book's level. A focal loss is
    (1 - p)^g times the plain one, p = exp(-loss) (Lin et al. 2017, *Focal Loss for Dense Object Detection*);
    its probabilities lean to the middle, which is left to the calibration.

    Args:
        target: the head.
        scores: (rows, units), or (rows, submodels, units).
        targets: (rows, columns), the label first where positives have a weight of their own.
        emphasis: what the loss makes more of.
    """
    weight = emphasis.positive_weight
    each = losses_of_each(target, scores if weight == 1 else scores + math.log(weight), targets)
    if emphasis.focal:
        # Not 0, where a power below 1 has no gradient: one row that is certain would make all weights NaN.
        each *= tf.pow(tf.maximum(-tf.math.expm1(-each), 1e-12), emphasis.focal)
    losses = tf.reduce_mean(each, axis=1) if len(scores.shape) == 3 else each
    return losses if weight == 1 else losses * tf.where(targets[:, 0] == 1, weight, 1.0)


def losses_of_mean(target: Head, scores: Any, targets: Any) -> Any:
    """Return the loss of each row's probabilities, (rows,): of several submodels that of their mean.

    A loss is -log of the probability of what came about, so that of the mean is -log mean exp(-loss).

    Args:
        target: the head.
        scores: (rows, units), or (rows, submodels, units).
        targets: (rows, columns).
    """
    each = losses_of_each(target, scores, targets)
    if len(scores.shape) == 2:
        return each
    # Held against the least, or float32 would make 0 of what is very unlikely, and 1 of what is very likely.
    least = tf.reduce_min(each, axis=1, keepdims=True)
    return least[:, 0] - tf.math.log1p(tf.reduce_mean(tf.math.expm1(least - each), axis=1))


def losses_of_each(target: Head, scores: Any, targets: Any) -> Any:
    """Return the losses of the head's, (rows,), or of each submodel, (rows, submodels)."""
    if len(scores.shape) == 2:
        return target.losses(scores, targets)
    _, submodels, units = scores.shape
    losses = target.losses(tf.reshape(scores, (-1, units)), tf.repeat(targets, submodels, axis=0))
    return tf.reshape(losses, (-1, submodels))


def submodel_losses(network: Any, target: Head, rows: Rows) -> Floats:
    """Return the loss of each submodel of a network on rows, (rows, submodels)."""
    found = []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows.taken(slice(start, start + ROWS_AT_ONCE))
        scores = network.scores(network.feed(*some.inputs), training=False)
        found.append(losses_of_each(target, scores, some.targets).numpy().astype(np.float64))
    return np.concatenate(found)
