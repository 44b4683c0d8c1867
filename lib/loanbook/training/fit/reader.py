"""Training rows from the snapshot to TensorFlow: the only module that knows petastorm."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import tensorflow as tf

from loanbook.models.inputs.spec import InputSpec
from loanbook.path_forms import plainly_named

# petastorm asks pyarrow for its old data set and warns of that, and of its fields, for every row group.
for _module in (r"petastorm\..*", r"pyarrow\..*"):
    warnings.filterwarnings("ignore", category=FutureWarning, module=_module)

from petastorm import make_batch_reader  # noqa: E402  # after the filters, which its import needs
from petastorm.tf_utils import make_petastorm_dataset  # noqa: E402  # after the filters, which its import needs

PREFETCHED_BATCHES = 4
MAX_SEED = 2**31 - 1


@contextmanager
def epoch_batches(
    files: Sequence[Path],
    folder: Path,
    spec: InputSpec,
    targets: Sequence[str],
    *,
    batch: int,
    seed: int,
    epoch: int,
    rank: int,
    size: int,
) -> Iterator[Any]:
    """Yield a dataset of (numeric, codes, targets, weight) that passes once over this rank's files of some.

    The files, of one row group each and all of as many rows, are somewhere in ``folder``.

    Order of row groups, and of rows within each, follows from seed, epoch and rank alone: there is a new
    reader each epoch, reading in the caller's thread (petastorm's thread pool has no fixed order, and may
    return nothing when asked for one epoch). Every rank gets as many rows, in batches of at most ``batch``.
    """
    stream = (seed * 1_000_003 + epoch) % MAX_SEED
    columns = [*spec.numeric_columns, *spec.code_columns, *targets, "weight"]
    # The reader prints a line when it closes.
    with (
        plainly_named(folder) as link,
        redirect_stdout(io.StringIO()),
        make_batch_reader(
            [f"file://{link / file.relative_to(folder)}" for file in files],
            schema_fields=[f"^{column}$" for column in columns],
            reader_pool_type="dummy",
            num_epochs=1,
            shuffle_row_groups=True,
            seed=stream,
            cur_shard=rank,
            shard_count=size,
        ) as reader,
    ):
        groups = make_petastorm_dataset(reader).enumerate()
        shuffled = groups.map(lambda number, group: _tensors(number, group, spec, targets, stream, rank))
        yield shuffled.rebatch(batch).prefetch(PREFETCHED_BATCHES)


def _tensors(
    number: Any, group: Any, spec: InputSpec, targets: Sequence[str], stream: int, rank: int
) -> tuple[Any, Any, Any, Any]:
    seed = tf.stack([tf.constant(stream, tf.int64), number * 1024 + rank])
    rows = tf.shape(group.weight)[0]
    order = tf.argsort(tf.random.stateless_uniform([rows], seed))
    numeric = _side_by_side(group, spec.numeric_columns)
    codes = _side_by_side(group, spec.code_columns) if spec.code_columns else tf.zeros([rows, 0], tf.int32)
    parts = (numeric, codes, _side_by_side(group, targets), group.weight)
    return tuple(tf.gather(tensor, order) for tensor in parts)


def _side_by_side(group: Any, columns: Sequence[str]) -> Any:
    return tf.stack([getattr(group, column) for column in columns], axis=1)
