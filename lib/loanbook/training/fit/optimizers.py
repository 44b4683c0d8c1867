"""The optimizer of an architecture, with its learning rate by step."""

from typing import Any

import tensorflow as tf

from loanbook.settings.model import ModelSettings


class LearningRate(tf.keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]  # untyped
    """The rate at step t: base x warm(t) x decay(t).

    warm grows linearly from 1 to the number of workers (Goyal et al. 2017), since a step then averages over
    that many batches; decay is 1, or 1 / (1 + t / decay_steps).
    """

    def __init__(self, settings: ModelSettings, steps_per_epoch: int, workers: int) -> None:
        super().__init__()
        self._base, self._workers = settings.learning_rate, float(workers)
        self._warmup = float(max(1, settings.schedule.warmup_epochs * steps_per_epoch))
        inverse = settings.schedule.kind == "inverse_time"
        self._decay_steps = float(settings.schedule.decay_steps) if inverse else float("inf")

    def __call__(self, step: Any) -> Any:
        """Return the rate, a float32 scalar."""
        t = tf.cast(step, tf.float32)
        warm = 1.0 + (self._workers - 1.0) * tf.minimum(1.0, t / self._warmup)
        return self._base * warm / (1.0 + t / self._decay_steps)


def build_optimizer(settings: ModelSettings, steps_per_epoch: int, workers: int, variables: list[Any]) -> Any:
    """Return the optimizer with its state variables made, so that they can be restored and broadcast."""
    rate = LearningRate(settings, steps_per_epoch, workers)
    if settings.optimizer == "adam":
        optimizer = tf.keras.optimizers.Adam(rate)
    else:
        optimizer = tf.keras.optimizers.SGD(rate, momentum=settings.momentum)
    optimizer.build(variables)
    return optimizer
