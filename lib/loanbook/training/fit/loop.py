"""The training loop of one rank: epochs over its row groups, early stopping, checkpoints."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.errors import LoanbookError
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Rows
from loanbook.models.network import Network
from loanbook.models.submodels import ROWS_AT_ONCE, losses_of_mean, losses_to_train
from loanbook.settings.model import ModelSettings
from loanbook.training.fit.alone import Alone
from loanbook.training.fit.checkpoint import Progress, State, load_state, save_state
from loanbook.training.fit.horovod_run import Ranks
from loanbook.training.fit.optimizers import build_optimizer

logger = logging.getLogger(__name__)

# What opens the batches of an epoch: a context manager around a tf.data.Dataset.
Epochs = Callable[[int], Any]


def _finite(loss: float, what: str) -> float:
    """Return the loss of all ranks, so that all of them stop alike.

    Raises:
        LoanbookError: it is no number: training has diverged.
    """
    if not np.isfinite(loss):
        raise LoanbookError(
            f"the {what} is {loss}: training has diverged; lower learning_rate in the model's settings, or "
            "leave out an input with huge values (train.inputs_left_out)"
        )
    return loss


class Loop:
    """Trains a network with the other ranks; every rank ends with the same weights.

    Args:
        network: with the same first weights on every rank.
        target: the head that the network ends in.
        rows: training rows of this rank in an epoch, equal on all ranks.
        checkpoint: file that rank 0 keeps.
        events: folder of TensorBoard's event files, which rank 0 writes; None: none are.
    """

    def __init__(
        self,
        network: Network,
        target: Head,
        settings: ModelSettings,
        ranks: Ranks | Alone,
        *,
        rows: int,
        checkpoint: Path,
        seed: int,
        events: Path | None = None,
    ) -> None:
        self._network, self._target, self._settings, self._ranks = network, target, settings, ranks
        self._rows, self._checkpoint, self._seed = rows, checkpoint, seed
        writes = events is not None and ranks.rank == 0
        self._events = (
            tf.summary.create_file_writer(str(events)) if writes else tf.summary.create_noop_writer()
        )
        self.name = ""  # before what is logged of it
        self._steps = ranks.minimum(-(-rows // settings.batch_size))
        self._weights, self._kept = network.scores.trainable_weights, network.kept
        self._optimizer = build_optimizer(settings, self._steps, ranks.size, self._weights)
        self._state = State(Progress(), [], [], [])
        # With the shapes given, the shorter batch at an epoch's end is not traced again.
        rows_of, vector = network.row_specs, tf.TensorSpec((None,), tf.float32)
        targets = tf.TensorSpec((None, len(target.target_columns)), tf.float32)
        self._step: Any = tf.function(self._train_batch, input_signature=[*rows_of, targets, vector])
        self._losses: Any = tf.function(self._batch_losses, input_signature=[*rows_of, targets])

    def run(self, epochs: Epochs, tune: Rows, resume: bool) -> Progress:
        """Train until the tune log loss stops falling; leave the best epoch's weights in the network."""
        self._begin(resume)
        progress = self._state.progress
        if not progress.history:
            self._judge({"epoch": 0}, tune)
        while progress.epoch < self._settings.epochs and not progress.stale(self._settings.patience):
            epoch = progress.epoch + 1
            self._judge({"epoch": epoch, "train_log_loss": self.epoch(epochs, epoch)}, tune)
        for weight, value in zip(self._kept, self._state.best, strict=True):
            weight.assign(value)
        if not progress.stale(self._settings.patience):
            logger.warning(
                "%sall %d epochs were taken and the tune log loss, least after epoch %d, may still fall: "
                "raise epochs in the model's settings",
                self.name, progress.epoch, progress.best_epoch,
            )  # fmt: skip
        return progress

    def _begin(self, resume: bool) -> None:
        found = load_state(self._checkpoint) if resume and self._ranks.rank == 0 else None
        self._state.progress = self._ranks.share(found.progress if found else self._state.progress)
        self._state.best = self._ranks.share(found.best if found else [])
        if found:
            logger.info("%straining resumes after epoch %d", self.name, found.progress.epoch)
            self._assign(found)
        self._ranks.copy_from_first([*self._kept, *self._optimizer.variables])

    def _assign(self, state: State) -> None:
        variables = [*self._kept, *self._optimizer.variables]
        for variable, value in zip(variables, [*state.weights, *state.optimizer], strict=True):
            variable.assign(value)

    def epoch(self, epochs: Epochs, epoch: int) -> float:
        """Pass once over the training rows; return their log loss, that of all ranks."""
        self._network.restart_dropout(self._seed + 1000 * epoch + self._ranks.rank)
        seen, loss = 0, 0.0
        with epochs(epoch) as batches:
            for numeric, codes, targets, weight in batches.take(self._steps):
                loss += float(self._step(numeric, codes, targets, weight)) * len(weight)
                seen += len(weight)
        if seen != self._rows:
            raise LoanbookError(
                f"rank {self._ranks.rank} read {seen} training rows of {self._rows} in epoch {epoch}"
            )
        if moving := self._kept[len(self._weights) :]:  # each rank's own, of its own batches
            self._ranks.copy_from_first(moving)
        totals = self._ranks.total([loss, float(seen)])
        return _finite(float(totals[0] / totals[1]), f"train loss of epoch {epoch}")

    def _train_batch(self, numeric: Any, codes: Any, targets: Any, weight: Any) -> Any:
        with tf.GradientTape() as tape:
            scores = self._scores(numeric, codes, training=True)
            losses = losses_to_train(self._target, scores, targets, self._settings.emphasis)
            # A bootstrap sample may leave a short batch without a row: its loss is then 0.
            loss = tf.math.divide_no_nan(tf.reduce_sum(weight * losses), tf.reduce_sum(weight))
            scaled = self._optimizer.get_scaled_loss(loss) if self._settings.mixed_precision else loss
        gradients = self._ranks.distributed(tape).gradient(scaled, self._weights)
        if self._settings.mixed_precision:
            gradients = self._optimizer.get_unscaled_gradients(gradients)
        self._optimizer.apply_gradients(zip(gradients, self._weights, strict=True))
        return loss

    def _scores(self, numeric: Any, codes: Any, training: bool) -> Any:
        return self._network.scores(self._network.feed(numeric, codes), training=training)

    def _batch_losses(self, numeric: Any, codes: Any, targets: Any) -> Any:
        return losses_of_mean(self._target, self._scores(numeric, codes, training=False), targets)

    def _tune_loss(self, tune: Rows) -> float:
        total = 0.0
        for start in range(0, len(tune), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            losses = self._losses(tune.numeric[rows], tune.codes[rows], tune.targets[rows]).numpy()
            total += float(np.sum(losses.astype(np.float64) * tune.weight[rows]))
        sums = self._ranks.total([total, float(np.sum(tune.weight, dtype=np.float64))])
        return _finite(float(sums[0] / sums[1]), "tune loss")

    def _judge(self, measured: dict[str, float], tune: Rows) -> None:
        progress = self._state.progress
        measured["tune_log_loss"] = loss = self._tune_loss(tune)
        progress.epoch = int(measured["epoch"])
        progress.history.append(measured)
        said = ", ".join(f"{name} {value:.6g}" for name, value in measured.items())
        logger.info("%s%s", self.name, said)
        with self._events.as_default(step=progress.epoch):
            for name, value in measured.items():
                tf.summary.scalar(name, value)
            tf.summary.scalar("learning_rate", self._optimizer.learning_rate)
        self._events.flush()
        if loss < progress.best_loss:
            progress.best_loss, progress.best_epoch = loss, progress.epoch
            self._state.best = [weight.numpy() for weight in self._kept]
        if self._ranks.rank == 0:
            self._state.weights = [weight.numpy() for weight in self._kept]
            self._state.optimizer = [variable.numpy() for variable in self._optimizer.variables]
            save_state(self._checkpoint, self._state)
