"""Prepared rows in memory: what networks and baselines are fitted, calibrated and judged on."""

from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from loanbook.models.inputs.spec import InputSpec


@dataclass(frozen=True)
class Rows:
    """Rows of a snapshot as a model takes them.

    Args:
        numeric: float32 (rows, columns of numbers), NaN for missing.
        codes: int32 (rows, columns of codes), 0 for unknown.
        targets: float32 (rows, targets of the head).
        label: float32 (rows,): 1 where the head's event came about, else 0.
        weight: float32 (rows,): inverse of the row's sampling probability.
    """

    numeric: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int32]
    targets: npt.NDArray[np.float32]
    label: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.label)

    def taken(self, which: Any) -> "Rows":
        """Return some of the rows: those of a slice, a mask or positions."""
        return Rows(*(getattr(self, item.name)[which] for item in fields(self)))

    @property
    def inputs(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Return the numbers and the codes."""
        return self.numeric, self.codes


class Evidence(Protocol):
    """Rows by role with the spec that they were prepared for: a training snapshot."""

    @property
    def spec(self) -> InputSpec:
        """Return what the columns of the rows are."""

    def rows(self, role: str, limit: int | None = None) -> Rows:
        """Return a role's rows, at most about ``limit`` of them, drawn at random."""


def no_inputs(rows: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Return inputs without a column, of rows whose outcomes alone are of interest."""
    return np.zeros((rows, 0), np.float32), np.zeros((rows, 0), np.int32)


def matrices(frame: pd.DataFrame, spec: InputSpec) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Return a frame's inputs: float32 (rows, columns of numbers) and int32 (rows, columns of codes)."""
    codes = frame[spec.code_columns].to_numpy(np.int32).reshape(len(frame), len(spec.code_columns))
    return frame[spec.numeric_columns].to_numpy(np.float32), codes
