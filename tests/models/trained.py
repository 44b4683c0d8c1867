"""Networks that are trained for a few steps on rows in memory."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from loanbook.models.head import Head
from loanbook.models.inputs.rows import Rows
from loanbook.settings.model import ModelSettings, load_model_settings
from loanbook.training.fit.alone import Alone
from loanbook.training.fit.checkpoint import Progress
from tests.models.specs import SPEC, some_inputs

RATE, ROWS, BATCH = 0.1, 240, 120  # two steps an epoch


def rows_for(target: Head, rows: int = ROWS, seed: int = 5) -> Rows:
    """Rows whose label, and whose every other target, follows from an input."""
    numeric, codes = some_inputs(rows, seed)
    label = (codes[:, 0] == 2).astype(np.float32)
    moves = (2 - codes[:, 0]).astype(np.float32)  # 0 where the label is 1
    targets = np.stack([label if name == "label" else moves for name in target.target_columns], axis=1)
    return Rows(numeric, codes, targets, label, np.where(label > 0, 1, 2).astype(np.float32))


def network(architecture: str, target: Head) -> Any:
    from loanbook.models.network import build_network

    return build_network(SPEC, load_model_settings(architecture).backbone, target, rate=RATE, seed=3)


@contextmanager
def without_tracing() -> Iterator[None]:
    """Run TensorFlow's functions line by line: for a few steps, a graph costs more than it saves."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


def train(
    net: Any,
    target: Head,
    architecture: str,
    checkpoint: Path,
    epochs: int,
    resume: bool = False,
    first: Path | None = None,
) -> Progress:
    """Train; ``first`` is a copy of what the checkpoint holds after the first epoch."""
    import tensorflow as tf

    from loanbook.training.fit.loop import Loop

    given = rows_for(target)

    @contextmanager
    def batches(epoch: int) -> Iterator[Any]:
        if epoch == 2 and first:
            shutil.copy(checkpoint, first)
        order = np.random.default_rng(epoch).permutation(len(given))
        parts = (given.numeric, given.codes, given.targets, given.weight)
        yield tf.data.Dataset.from_tensor_slices(tuple(part[order] for part in parts)).batch(BATCH)

    settings: ModelSettings = load_model_settings(architecture, batch_size=BATCH, epochs=epochs)
    loop = Loop(net, target, settings, Alone(), rows=len(given), checkpoint=checkpoint, seed=3)
    return loop.run(batches, rows_for(target, seed=6), resume)


class Trained(NamedTuple):
    net: Any
    progress: Progress


def undisturbed_and_resumed(architecture: str, target: Head, folder: Path) -> tuple[Trained, Trained]:
    """A training of three epochs, and one that goes on from what a kill after the first would leave."""
    whole, resumed = (network(architecture, target) for _ in range(2))
    first = folder / "first.npz"
    undisturbed = train(whole, target, architecture, folder / "whole.npz", epochs=3, first=first)
    after = train(resumed, target, architecture, first, epochs=3, resume=True)
    return Trained(whole, undisturbed), Trained(resumed, after)
