"""The tape's own attributes that change with the month: the value last known of each.

They are part of the running state. No value is copied from month to month: the state holds its place in a
pool of all values that the partition's rows brought. So numbers and texts are handled alike and stay as they
came.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loanbook.features.engine.terms import whole_of
from loanbook.features.engine.values import Numbers

# Columns of a report and of the saved state, and the column of features that each goes into.
INTO = {"own_numeric": "numeric_inputs", "own_categorical": "categorical_inputs", "own_text": "text_inputs"}
KINDS = {"own_numeric": pa.float64(), "own_categorical": pa.string(), "own_text": pa.string()}


class Entries(NamedTuple):
    """What maps hold, an entry each: the place of its map, its name and its value."""

    row: Numbers
    names: pa.Array
    values: pa.Array


def entries_of(maps: pa.ChunkedArray | pa.Array) -> Entries:
    """Return the entries of maps, in their order.

    >>> entries_of(pa.array([[("a", 1)], None, [("b", 2)]], pa.map_(pa.string(), pa.int64()))).row.tolist()
    [0, 2]
    """
    whole = whole_of(maps)
    offsets = whole.offsets.to_numpy()
    first, length = int(offsets[0]), int(offsets[-1] - offsets[0])
    row = np.repeat(np.arange(len(whole)), np.diff(offsets))
    return Entries(row, whole.keys.slice(first, length), whole.items.slice(first, length))


class OwnInputs:
    """Of one kind: the last known values of a partition's loans.

    Args:
        loans: how many there are.
        reports: values reported; ``month`` and ``loan`` say of each row when and of which loan.
        saved: values that the state held; ``saved_loan`` says of each row of which loan.
    """

    def __init__(
        self,
        loans: int,
        reports: Entries,
        month: Numbers,
        loan: Numbers,
        saved: Entries,
        saved_loan: Numbers,
    ) -> None:
        names = pa.concat_arrays([reports.names, saved.names]).unique()
        self.names = pa.array(sorted(names.to_pylist()), pa.string())
        self._pool = pa.concat_arrays([reports.values, saved.values])
        self._at = np.full((len(self.names), loans), -1, np.int64)
        order = np.argsort(month[reports.row], kind="stable")
        self._month, self._loan = month[reports.row][order], loan[reports.row][order]
        self._name, self._value = self._codes(reports.names)[order], order
        places = len(reports.values) + np.arange(len(saved.values))
        self._at[self._codes(saved.names), saved_loan[saved.row]] = places

    def _codes(self, names: pa.Array) -> Numbers:
        codes = pc.fill_null(pc.index_in(names, value_set=self.names), -1)
        return np.asarray(codes.to_numpy(zero_copy_only=False), np.int64)

    def advance(self, month: int) -> None:
        """Take in the values reported in a month."""
        first, last = np.searchsorted(self._month, [month, month + 1])
        new = slice(first, last)
        self._at[self._name[new], self._loan[new]] = self._value[new]

    def known(self, at: Numbers, terms: pa.MapArray | None = None) -> pa.MapArray:
        """Return a map for each loan: the entries of its terms, then those last known of its months.

        An attribute that both have is the month's. A map of terms that is null stays null where nothing is
        known of the months.

        Args:
            at: positions of n loans.
            terms: n maps; None: those of the months alone.

        >>> maps = pa.map_(pa.string(), pa.float64())
        >>> reports = entries_of(pa.array([[("income", 50.0)], [("income", 60.0)]], maps))
        >>> saved = entries_of(pa.array([], maps))
        >>> inputs = OwnInputs(1, reports, np.array([1, 2]), np.array([0, 0]), saved, np.array([], int))
        >>> inputs.advance(1)
        >>> inputs.known(np.array([0])).to_pylist()
        [[('income', 50.0)]]
        """
        places = self._at[:, at].T
        held = places >= 0
        own_row, own_name = np.nonzero(held)
        own = Entries(own_row, self.names.take(pa.array(own_name)), self._pool.take(pa.array(places[held])))
        if terms is None:
            return _maps(own, np.ones(len(at), bool))
        first = entries_of(terms)
        code = self._codes(first.names)
        stays = (code < 0) | ~held[first.row, code] if len(self.names) else np.ones(len(code), bool)
        kept = pa.array(np.flatnonzero(stays))
        both = Entries(
            np.concatenate([first.row[stays], own.row]),
            pa.concat_arrays([first.names.take(kept), own.names]),
            pa.concat_arrays([first.values.take(kept), own.values]),
        )
        return _maps(both, terms.is_valid().to_numpy(zero_copy_only=False) | held.any(axis=1))


def _maps(entries: Entries, valid: Numbers) -> pa.MapArray:
    """Return a map for each row of its entries, in their order; null where it is not valid."""
    at = pa.array(np.argsort(entries.row, kind="stable"))
    ends = np.cumsum(np.bincount(entries.row, minlength=len(valid)))
    offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32), mask=np.append(~valid, False))
    return pa.MapArray.from_arrays(offsets, entries.names.take(at), entries.values.take(at))
