"""The name that a loan goes by in one epoch of what was known of it: its id and the months to write."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.features.engine.values import Numbers

SEPARATOR = "\x00"  # in no loan's id, and before every sign that is: names stay in the order of ids
NO_END = 2**31 - 1


class Written(NamedTuple):
    """First and last month to write of each loan of a partition; those without an epoch are all written."""

    first: Numbers
    last: Numbers


def epoch_key_expr(first: Column, last: Column) -> Column:
    """Return the name of a loan in the epoch of these months; the last epoch has ``NO_END``."""
    return F.concat_ws(SEPARATOR, F.col("loan_id"), first, last)


def loan_id_expr(key: str) -> Column:
    """Return the loan's id of a name."""
    return F.substring_index(key, SEPARATOR, 1)


def epoch_months(key: str) -> tuple[Column, Column]:
    """Return the first and last month of the epoch of a name; without an epoch 0 and ``NO_END``."""
    parts = F.split(key, SEPARATOR)
    first, last = (F.get(parts, F.lit(place)).cast("int") for place in (1, 2))
    return F.coalesce(first, F.lit(0)), F.coalesce(last, F.lit(NO_END))


def ids_and_months(names: pa.Array) -> tuple[pa.Array, Written | None]:
    """Return the ids of names, and the months to write of each; None where no name has an epoch.

    >>> ids_and_months(pa.array([SEPARATOR.join(("a", "24240", "24242")), "b"]))[0].to_pylist()
    ['a', 'b']
    """
    if not pc.any(pc.match_substring(names, SEPARATOR)).as_py():
        return names, None
    parts = [name.split(SEPARATOR) for name in names.to_pylist()]
    months = np.array([part[1:] if len(part) > 1 else (0, NO_END) for part in parts], np.int64)
    return pa.array([part[0] for part in parts], pa.string()), Written(months[:, 0], months[:, 1])
