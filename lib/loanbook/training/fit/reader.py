"""Row groups of a snapshot, read from Parquet: the only module that knows petastorm."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from loanbook.models.inputs.spec import InputSpec
from loanbook.path_forms import plainly_named

# petastorm asks pyarrow for its old data set and warns of that, and of its fields, for every row group.
for _module in (r"petastorm\..*", r"pyarrow\..*"):
    warnings.filterwarnings("ignore", category=FutureWarning, module=_module)

from petastorm import make_batch_reader  # noqa: E402  # after the filters, which its import needs
from petastorm.tf_utils import make_petastorm_dataset  # noqa: E402  # after the filters, which its import needs


@dataclass(frozen=True)
class Columns:
    """The columns of training rows, side by side in four tensors: numbers, codes, targets and weight."""

    numeric: tuple[str, ...]
    codes: tuple[str, ...]
    targets: tuple[str, ...]

    @classmethod
    def of(cls, spec: InputSpec, targets: Sequence[str]) -> "Columns":
        """Return those of a spec and of a head's targets."""
        return cls(tuple(spec.numeric_columns), tuple(spec.code_columns), tuple(targets))

    @property
    def all(self) -> list[str]:
        """Return the names of all."""
        return [*self.numeric, *self.codes, *self.targets, "weight"]

    def side_by_side(self, group: Any) -> tuple[Any, Any, Any, Any]:
        """Return the four tensors of a row group."""
        rows = tf.shape(group.weight)[0]
        codes = _stacked(group, self.codes) if self.codes else tf.zeros([rows, 0], tf.int32)
        return _stacked(group, self.numeric), codes, _stacked(group, self.targets), group.weight

    def fill(self, matrices: Sequence[Any], rows: slice, group: Any) -> None:
        """Set some rows of four matrices to those of a row group."""
        for matrix, names in zip(matrices, (self.numeric, self.codes, self.targets), strict=False):
            for place, name in enumerate(names):
                matrix[rows, place] = getattr(group, name)
        matrices[-1][rows] = group.weight

    def empty(self, rows: int) -> list[Any]:
        """Return four matrices of as many rows."""
        widths = ((self.numeric, np.float32), (self.codes, np.int32), (self.targets, np.float32))
        return [*(np.empty((rows, len(names)), kind) for names, kind in widths), np.empty(rows, np.float32)]


@contextmanager
def row_groups(files: Sequence[Path], folder: Path, columns: Columns) -> Iterator[Any]:
    """Yield what reads files of one row group each, in their order, one column of a group at a time.

    Reads in the caller's thread: petastorm's thread pool has no fixed order, and may return nothing when
    asked for one epoch.

    Args:
        files: somewhere in ``folder``.
        folder: of the snapshot.
        columns: to read.
    """
    # The reader prints a line when it closes.
    with (
        plainly_named(folder) as link,
        redirect_stdout(io.StringIO()),
        make_batch_reader(
            [f"file://{link / file.relative_to(folder)}" for file in files],
            schema_fields=[f"^{column}$" for column in columns.all],
            reader_pool_type="dummy",
            num_epochs=1,
            shuffle_row_groups=False,
        ) as reader,
    ):
        yield reader


def as_dataset(reader: Any) -> Any:
    """Return the row groups as a dataset of named tensors."""
    return make_petastorm_dataset(reader)


def _stacked(group: Any, columns: Sequence[str]) -> Any:
    return tf.stack([getattr(group, column) for column in columns], axis=1)
