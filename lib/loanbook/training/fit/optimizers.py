"""The optimizer of an architecture, with its learning rate by step."""

import math
from typing import Any

import tensorflow as tf

from loanbook.settings.model import ModelSettings


class LearningRate(tf.keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # untyped
    """The rate at step t: base x warm(t) x rise(t) x decay(t).

    warm grows linearly from 1 to the number of workers (Goyal et al. 2017), since a step then averages over
    that many batches; rise from 0 to 1. decay is 1, or 1 / (1 + t / decay_steps), or (1 + cos(pi t / all
    steps)) / 2 (Loshchilov and Hutter 2017).
    """

    def __init__(self, settings: ModelSettings, steps_per_epoch: int, workers: int) -> None:
        super().__init__()
        schedule = settings.schedule
        self._base, self._workers, self._kind = settings.learning_rate, float(workers), schedule.kind
        self._warmup = float(max(1, schedule.warmup_epochs * steps_per_epoch))
        self._rise = schedule.rise_epochs * steps_per_epoch
        self._decay_steps = float(schedule.decay_steps)
        self._all_steps = float(max(1, settings.epochs * steps_per_epoch))

    def __call__(self, step: Any) -> Any:
        """Return the rate, a float32 scalar."""
        t = tf.cast(step, tf.float32)
        rate = self._base * (1.0 + (self._workers - 1.0) * tf.minimum(1.0, t / self._warmup))
        if self._rise:
            rate *= tf.minimum(1.0, (t + 1.0) / self._rise)
        if self._kind == "inverse_time":
            return rate / (1.0 + t / self._decay_steps)
        if self._kind == "cosine":
            return rate * 0.5 * (1.0 + tf.cos(math.pi * tf.minimum(1.0, t / self._all_steps)))
        return rate


def build_optimizer(settings: ModelSettings, steps_per_epoch: int, workers: int, variables: list[Any]) -> Any:
    """Return the optimizer with its state variables made, so that they can be restored and broadcast.

    Weight decay is decoupled from the gradients (Loshchilov and Hutter 2019, *Decoupled Weight Decay
    Regularization*), and is of kernels alone: biases, embeddings, factors and scales stay. In mixed precision
    it scales the loss, so that small gradients are not 0 in float16, and passes over a step in which one
    overflows (Micikevicius et al. 2018, *Mixed Precision Training*).
    """
    rate = LearningRate(settings, steps_per_epoch, workers)
    options = {"weight_decay": settings.weight_decay or None, "global_clipnorm": settings.clip_norm}
    if settings.optimizer == "adam":
        optimizer = tf.keras.optimizers.Adam(rate, **options)
    else:
        optimizer = tf.keras.optimizers.SGD(rate, momentum=settings.momentum, **options)
    if settings.weight_decay:
        optimizer.exclude_from_weight_decay([item for item in variables if not _is_kernel(item)])
    optimizer.build(variables)
    return tf.keras.mixed_precision.LossScaleOptimizer(optimizer) if settings.mixed_precision else optimizer


def _is_kernel(variable: Any) -> bool:
    return str(variable.name).split(":")[0].endswith("kernel")
