"""A process that trains a network by itself, though others train other networks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


class Alone:
    """Rank 0 of 1: what ``Ranks`` does with others, without any."""

    rank, size = 0, 1

    def distributed(self, tape: Any) -> Any:
        """Return the tape."""
        return tape

    def share(self, content: Any) -> Any:
        """Return the content."""
        return content

    def copy_from_first(self, variables: Sequence[Any]) -> None:
        """Leave variables as they are."""

    def minimum(self, number: int) -> int:
        """Return the number."""
        return number

    def total(self, values: Sequence[float]) -> npt.NDArray[np.float64]:
        """Return the values."""
        return np.asarray(values, np.float64)
