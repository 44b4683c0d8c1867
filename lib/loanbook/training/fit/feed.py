"""The training rows of one rank, an epoch at a time: kept in memory, or read anew each time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from loanbook.errors import LoanbookError
from loanbook.training.fit.bootstrap import borrowers_in, times_drawn
from loanbook.training.fit.reader import Columns, as_dataset, row_groups
from loanbook.training.fit.teacher import Taught

PREFETCHED_BATCHES = 4
BYTES = 4  # of a value
MIB = 2**20
Order = npt.NDArray[np.int64]
Times = npt.NDArray[np.float32]


@dataclass(frozen=True)
class RankRows:
    """The files that a rank's network is fitted on, and the order in which an epoch passes over their rows.

    Order of row groups, and of rows within each, follows from seed, epoch and rank alone, whether the rows
    are kept in memory or not.

    Args:
        files: of one row group each, all of as many rows, in the snapshot's order.
        folder: of the snapshot.
        columns: to read.
        rows: in all files together.
        batch: rows of a step, at most.
        seed: of the order.
        rank: of this process.
        taught: by file, what stands in the place of its rows' one target; None: the targets as they are read.
        bootstrap: whether borrowers are drawn with replacement, by the seed; rows of those that are not drawn
            have weight 0.
    """

    files: Sequence[Path]
    folder: Path
    columns: Columns
    rows: int
    batch: int
    seed: int
    rank: int
    taught: Taught | None = None
    bootstrap: bool = False

    @property
    def mib(self) -> float:
        """Return how much memory they take."""
        return self.rows * len(self.columns.all) * BYTES / MIB

    def order(self, epoch: int) -> tuple[Sequence[int], Iterator[Order]]:
        """Return the files' numbers as an epoch takes them, and the order of the rows within each in turn."""
        drawn, of_group = np.random.default_rng([self.seed, epoch, self.rank]), self.rows // len(self.files)
        groups: Sequence[int] = drawn.permutation(len(self.files)).tolist()
        return groups, (drawn.permutation(of_group) for _ in groups)

    def times(self, file: Path) -> Times:
        """Return how often each row of a file counts: once, or as often as its borrower is drawn."""
        if not self.bootstrap:
            return np.ones(self.rows // len(self.files), np.float32)
        return times_drawn(borrowers_in(file), self.seed)


class Streamed:
    """Rows that are read anew each epoch: of a book whose rows are more than memory should hold."""

    def __init__(self, rows: RankRows) -> None:
        self._rows = rows

    @contextmanager
    def epoch(self, number: int) -> Iterator[Any]:
        """Yield a dataset of batches of (numeric, codes, targets, weight) that passes once over the rows."""
        own = self._rows
        groups, within = own.order(number)
        files = [own.files[place] for place in groups]
        beside = [_each(within, tf.int64), _each(map(own.times, files), tf.float32)]
        if own.taught is not None:
            beside.append(_each((own.taught[file] for file in files), tf.float32))

        def shuffled(group: Any, order: Any, times: Any, *taught: Any) -> Any:
            numeric, codes, targets, weight = own.columns.side_by_side(group)
            targets = taught[0][:, None] if taught else targets
            return tuple(tf.gather(tensor, order) for tensor in (numeric, codes, targets, weight * times))

        with row_groups(files, own.folder, own.columns) as reader:
            batches = tf.data.Dataset.zip((as_dataset(reader), *beside)).map(shuffled).rebatch(own.batch)
            yield batches.prefetch(PREFETCHED_BATCHES)


def _each(arrays: Iterator[Any], kind: Any) -> Any:
    """Return a dataset of vectors, one for each row group."""
    signature = tf.TensorSpec((None,), kind)
    return tf.data.Dataset.from_generator(lambda: arrays, output_signature=signature)


class Kept:
    """Rows that are read once and stay in memory, as the four tensors that a step takes rows of.

    Raises:
        LoanbookError: the files hold other numbers of rows.
    """

    def __init__(self, rows: RankRows) -> None:
        self._rows, self._of_group = rows, rows.rows // len(rows.files)
        matrices, filled = rows.columns.empty(rows.rows), 0
        targets, weight = matrices[2:]
        with row_groups(rows.files, rows.folder, rows.columns) as reader:
            for group in reader:
                found = len(group.weight)
                if found != self._of_group or filled >= rows.rows:
                    raise LoanbookError(f"a row group of {rows.folder} has {found} rows of {self._of_group}")
                own, file = slice(filled, filled + found), rows.files[filled // self._of_group]
                rows.columns.fill(matrices, own, group)
                weight[own] *= rows.times(file)
                if rows.taught is not None:
                    targets[own, 0] = rows.taught[file]
                filled += found
        if filled != rows.rows:
            raise LoanbookError(f"{filled} of {rows.rows} training rows were read from {rows.folder}")
        with tf.device("CPU:0"):  # where tf.data gathers the rows of a step
            self._tensors = [tf.constant(matrix) for matrix in matrices]

    @contextmanager
    def epoch(self, number: int) -> Iterator[Any]:
        """Yield a dataset of batches of (numeric, codes, targets, weight) that passes once over the rows."""
        own, size = self._rows, self._of_group
        groups, within = own.order(number)
        every = [group * size + order for group, order in zip(groups, within, strict=True)]
        with tf.device("CPU:0"):
            order = tf.constant(np.concatenate(every))

        def batch(start: Any) -> Any:
            some = order[start : start + own.batch]
            return tuple(tf.gather(tensor, some) for tensor in self._tensors)

        yield tf.data.Dataset.range(0, own.rows, own.batch).map(batch).prefetch(PREFETCHED_BATCHES)


def feed_of(rows: RankRows, most_mib: float) -> Streamed | Kept:
    """Return what feeds a rank: its rows from memory, where they take at most so many MiB."""
    return Kept(rows) if rows.mib <= most_mib else Streamed(rows)
