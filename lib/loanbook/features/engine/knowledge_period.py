"""The name that a loan goes by in one knowledge period: its id and the months to write.

With ``knowledge: as_known``, a month's features are made from the reports as they were known in that month. A
loan whose January was corrected in March has two pasts: January and February were written with the old one,
March on is written with the new one. Each such run of months is a knowledge period, called an epoch in names
here. The engine goes through the loan's months once for each, as if they were loans of their own:

    name of the loan        its reports                     months written
    A, January to February  January as first reported, ...  January, February
    A, March without end    January as corrected, ...       March, April, ...
    B                       one version of each             all

>>> first, last = ("A", "24240", "24241"), ("A", "24242", str(NO_END))
>>> ids, written = ids_and_months(pa.array([SEPARATOR.join(first), SEPARATOR.join(last), "B"]))
>>> ids.to_pylist(), written.first.tolist(), (written.last == NO_END).tolist()
(['A', 'A', 'B'], [24240, 24242, 0], [False, True, True])
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.features.engine.values import Numbers

SEPARATOR = "\x00"  # in no loan's id, and sorts before every sign that is: names sort as ids do
NO_END = 2**31 - 1


class Written(NamedTuple):
    """First and last month to write of each loan of a partition; without an epoch 0 and ``NO_END``."""

    first: Numbers
    last: Numbers


def epoch_key_expr(first: Column, last: Column) -> Column:
    """Return the name of a loan in the epoch from ``first`` to ``last``, numbers of months.

    The last epoch has no end: its ``last`` is ``NO_END``.
    """
    return F.concat_ws(SEPARATOR, F.col("loan_id"), first, last)


def loan_id_expr(key: str) -> Column:
    """Return the loan's id that a name begins with."""
    return F.substring_index(key, SEPARATOR, 1)


def epoch_months(key: str) -> tuple[Column, Column]:
    """Return the first and last month of the epoch of a name; without an epoch 0 and ``NO_END``."""
    parts = F.split(key, SEPARATOR)
    first, last = (F.get(parts, F.lit(place)).cast("int") for place in (1, 2))
    return F.coalesce(first, F.lit(0)), F.coalesce(last, F.lit(NO_END))


def ids_and_months(names: pa.Array) -> tuple[pa.Array, Written | None]:
    """Return the ids of names, and the months to write of each: None where no name has an epoch.

    >>> ids_and_months(pa.array(["A", "B"]))[1] is None
    True
    """
    if not pc.any(pc.match_substring(names, SEPARATOR)).as_py():
        return names, None
    parts = [name.split(SEPARATOR) for name in names.to_pylist()]
    months = np.array([part[1:] if len(part) > 1 else (0, NO_END) for part in parts], np.int64)
    return pa.array([part[0] for part in parts], pa.string()), Written(months[:, 0], months[:, 1])
