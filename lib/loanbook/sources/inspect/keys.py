"""Which field, or field and month, tells the rows apart; and the months that the dates cover.

>>> from loanbook.sources.inspect.profile import profile
>>> texts = {"loan": ["A", "A", "B"], "month": ["202401", "202403", "202401"]}
>>> columns = [pa.chunked_array([column]) for column in texts.values()]
>>> fields = [profile(name, column) for name, column in zip(texts, columns)]
>>> keys = find_keys(fields, columns)
>>> keys[0].fields
('loan', 'month')
>>> covered_months(fields, columns, keys)
[Months(field='month', first='2024-01', last='2024-03', found=2, span=3)]
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from loanbook.sources.inspect.names import MONEY
from loanbook.sources.inspect.profile import Field
from loanbook.sources.inspect.types import date_months

LONGEST_SPAN = 600  # months that a count such as an age in months may cover
MOST_REPEATED = 0.05  # share of rows that repeat a key, above which it is no candidate
MONTH_WORDS = ("month", "age", "period", "mob", "remaining", "seq")


@dataclass(frozen=True)
class Key:
    """Fields that tell rows apart.

    Args:
        fields: one, or one and a month.
        repeated: rows that repeat an earlier row's values: 0 of a key, else how near it comes.
        blank: rows in which one of the fields is blank.
    """

    fields: tuple[str, ...]
    repeated: int = 0
    blank: int = 0


@dataclass(frozen=True)
class Months:
    """The months of a date field: first, last, how many of them occur, and how many lie between them."""

    field: str
    first: str
    last: str
    found: int
    span: int


def find_keys(
    fields: Sequence[Field], columns: Sequence[pa.ChunkedArray], header: Sequence[str] | None = None
) -> list[Key]:
    """Return the fields that tell the rows apart.

    The first of these that there is: every unique field; every unique pair of a field and a month; the one
    field or pair that comes nearest, where at most ``MOST_REPEATED`` of the rows repeat it or lack it.

    A column without a name that numbers the rows is left out: a program wrote it, and it says nothing of the
    loans.

    Args:
        fields: profiles of the columns.
        columns: texts, null where blank.
        header: the columns' own names, where the file has them.
    """
    rows = len(columns[0])
    able = [
        k for k, field in enumerate(fields) if may_identify(field)
        and not (header and not header[k] and field.is_unique and field.type == "int")
    ]  # fmt: skip
    if rows < 2:
        return []
    if single := [Key((fields[k].name,)) for k in able if fields[k].is_unique]:
        return single
    dates = [k for k, field in enumerate(fields) if field.is_date and field.distinct > 1]
    counts = [k for k, field in enumerate(fields) if _counts_months(field)]
    codes = _Codes(columns)
    near: list[Key] = []
    for months in (dates, counts):
        pairs = [
            _pair(fields, codes, k, month) for month in months for k in able if _may_pair(fields, k, month)
        ]
        if unique := [key for key in pairs if not key.repeated and not key.blank]:
            return unique
        near += pairs
    near += [
        Key((fields[k].name,), rows - fields[k].blank - fields[k].distinct, fields[k].blank) for k in able
    ]
    best = min(near, key=lambda key: key.repeated + key.blank, default=None)
    return [best] if best and best.repeated + best.blank <= MOST_REPEATED * rows else []


def may_identify(field: Field) -> bool:
    """Return whether the field can be a part of a key: no amount, which is unique by chance.

    >>> from loanbook.sources.inspect.profile import profile
    >>> numbers = pa.chunked_array([["100", "200"]])
    >>> may_identify(profile("account", numbers)), may_identify(profile("balance", numbers))
    (True, False)
    """
    return field.type in ("int", "text", "date") and not MONEY.search(field.name)


def _counts_months(field: Field) -> bool:
    """Return whether the field may count months: whole numbers without a gap, over less than 50 years."""
    if field.type != "int" or field.distinct < 3 or field.exceptions or field.missing:
        return False
    span = int(field.high) - int(field.low) + 1
    return span == field.distinct <= LONGEST_SPAN and any(word in field.name.lower() for word in MONTH_WORDS)


def _may_pair(fields: Sequence[Field], k: int, month: int) -> bool:
    field, rows = fields[k], fields[k].rows
    return (
        k != month
        and not field.is_date
        and field.distinct > 1
        and field.blank <= MOST_REPEATED * rows
        and field.distinct * fields[month].distinct >= (1 - MOST_REPEATED) * rows
    )


class _Codes:
    """Fields as whole numbers, each encoded once; -1 where blank."""

    def __init__(self, columns: Sequence[pa.ChunkedArray]) -> None:
        self._columns, self._codes = columns, dict[int, npt.NDArray[np.int64]]()

    def __getitem__(self, k: int) -> npt.NDArray[np.int64]:
        if k not in self._codes:
            encoded = self._columns[k].combine_chunks().dictionary_encode()
            self._codes[k] = encoded.indices.fill_null(-1).to_numpy().astype(np.int64)
        return self._codes[k]


def _pair(fields: Sequence[Field], codes: _Codes, k: int, month: int) -> Key:
    left, right = codes[k], codes[month]
    given = (left >= 0) & (right >= 0)
    pairs = left[given] * (right.max() + 1) + right[given]
    repeated = len(pairs) - len(np.unique(pairs))
    return Key((fields[k].name, fields[month].name), int(repeated), int((~given).sum()))


def covered_months(
    fields: Sequence[Field], columns: Sequence[pa.ChunkedArray], keys: Sequence[Key]
) -> list[Months]:
    """Return the months that each date field covers, and each count of months that is part of a key.

    Args:
        fields: profiles of the columns.
        columns: texts, null where blank.
        keys: of ``find_keys``.
    """
    covered = []
    counted = {key.fields[-1] for key in keys if len(key.fields) > 1}
    for field, column in zip(fields, columns, strict=True):
        if field.is_date and field.format:
            months = date_months(column.unique().drop_null(), field.format)
            covered.append(
                Months(field.name, field.low[:7], field.high[:7], len(months), max(months) - min(months) + 1)
            )
        elif field.name in counted:
            span = int(field.high) - int(field.low) + 1
            covered.append(Months(field.name, field.low, field.high, field.distinct, span))
    return covered
