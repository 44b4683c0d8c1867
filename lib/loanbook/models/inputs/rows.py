"""Prepared rows in memory: what networks and baselines are fitted, calibrated and judged on."""

from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from loanbook.book.state_moves import UNKNOWN
from loanbook.models.inputs.spec import CategoricalInput, InputSpec

Words = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Rows:
    """Rows of a snapshot as a model takes them.

    Args:
        numeric: float32 (rows, columns of numbers), NaN for missing.
        codes: int32 (rows, columns of codes), 0 for unknown.
        targets: float32 (rows, targets of the head).
        label: float32 (rows,): 1 where the head's event came about, else 0.
        weight: float32 (rows,): inverse of the row's sampling probability.
        state: of each row as the inputs tell it (``known_states``); None where no row's is known.
        next_state: its place among the destinations, -1 of none; None where a snapshot does not say it.
    """

    numeric: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int32]
    targets: npt.NDArray[np.float32]
    label: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    state: Words | None = None
    next_state: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.label)

    def taken(self, which: Any) -> "Rows":
        """Return some of the rows: those of a slice, a mask or positions."""
        known = {
            item.name: column for item in fields(self) if (column := getattr(self, item.name)) is not None
        }
        return Rows(**{name: column[which] for name, column in known.items()})

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


def states_of(spec: InputSpec, codes: npt.ArrayLike | None, rows: int) -> Words:
    """Return the state of each row by its code; ``unknown`` of a rare one, and of all where it is no input.

    Args:
        spec: what the columns are.
        codes: of shape (rows, columns), or None where there are none.
        rows: how many.
    """
    state = _state_input(spec)
    if state is None or codes is None:
        return np.full(rows, UNKNOWN)
    place = spec.code_columns.index(state.column)
    names = np.array([UNKNOWN, *state.vocabulary])
    return np.asarray(names[np.asarray(codes)[:, place]])


def known_states(spec: InputSpec, state: Words) -> Words:
    """Return the states of rows as scoring knows them, by ``states_of``.

    Args:
        spec: what the inputs are.
        state: of each row, rare ones too.
    """
    known = _state_input(spec)
    return np.where(np.isin(state, known.vocabulary if known else ()), state, UNKNOWN)


def _state_input(spec: InputSpec) -> CategoricalInput | None:
    return next((item for item in spec.categorical if item.name == "state"), None)


def matrices(frame: pd.DataFrame, spec: InputSpec) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
    """Return a frame's inputs: float32 (rows, columns of numbers) and int32 (rows, columns of codes)."""
    codes = frame[spec.code_columns].to_numpy(np.int32).reshape(len(frame), len(spec.code_columns))
    return frame[spec.numeric_columns].to_numpy(np.float32), codes
