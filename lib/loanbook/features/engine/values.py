"""Values of a month's rows, some of them missing."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]
NONE = np.iinfo(np.int32).min  # a missing 32-bit number of the running state
NO_AMOUNT = np.iinfo(np.int64).min  # a missing amount of cents


class Values(NamedTuple):
    """Numbers, one a row, and whether each is known; without a mask all are.

    >>> Values(np.array([3, NONE], np.int32)).known_only().valid.tolist()
    [True, False]
    """

    data: Numbers
    valid: Numbers | None = None

    def known_only(self) -> "Values":
        """Return the values with the mask of those that are not the sentinel of their type."""
        return Values(self.data, self.data != (NO_AMOUNT if self.data.dtype == np.int64 else NONE))

    def where(self, condition: Numbers) -> "Values":
        """Return the values, missing also where the condition does not hold.

        >>> Values(np.array([1.0, 2.0])).where(np.array([True, False])).mask.tolist()
        [True, False]
        """
        return Values(self.data, condition if self.valid is None else self.valid & condition)

    @property
    def mask(self) -> Numbers:
        """Return whether each value is known."""
        return np.ones(len(self.data), bool) if self.valid is None else self.valid

    def take(self, at: Numbers) -> "Values":
        """Return the values at positions."""
        return Values(self.data[at], None if self.valid is None else self.valid[at])

    def filled(self, missing: float) -> Numbers:
        """Return plain numbers, ``missing`` where unknown.

        >>> Values(np.array([3, 5]), np.array([True, False])).filled(0).tolist()
        [3, 0]
        """
        return self.data if self.valid is None else np.where(self.valid, self.data, missing)


def both(*values: Values) -> Numbers | None:
    """Return whether every one of several values is known, row by row; None where all always are.

    >>> both(Values(np.array([1, 2])), Values(np.array([3, 4]), np.array([True, False]))).tolist()
    [True, False]
    """
    masks = [value.valid for value in values if value.valid is not None]
    return np.logical_and.reduce(masks) if masks else None


def ratio(top: Values, bottom: Values) -> Values:
    """Return the quotient; missing where either is, or where the divisor is zero.

    >>> quotient = ratio(Values(np.array([1, 1])), Values(np.array([4, 0])))
    >>> quotient.filled(-1).tolist()
    [0.25, -1.0]
    """
    nonzero = bottom.data != 0
    known = both(top, bottom)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Values(top.data / bottom.data, nonzero if known is None else known & nonzero)


def difference(left: Values, right: Values) -> Values:
    """Return left less right; missing where either is.

    >>> difference(Values(np.array([5.0])), Values(np.array([2.0]), np.array([False]))).mask.tolist()
    [False]
    """
    with np.errstate(invalid="ignore"):  # of what is missing, which can be infinite
        return Values(left.data - right.data, both(left, right))


def first_known(*values: Values) -> Values:
    """Return, row by row, the first of several values that is known.

    >>> reported = Values(np.array([3.5, 0.0]), np.array([True, False]))
    >>> first_known(reported, Values(np.array([4.0, 4.0]))).data.tolist()
    [3.5, 4.0]
    """
    data, valid = values[-1].data, values[-1].mask
    for value in reversed(values[:-1]):
        data, valid = np.where(value.mask, value.data, data), value.mask | valid
    return Values(data, valid)
