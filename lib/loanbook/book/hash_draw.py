"""A pseudo-random number for each loan or row, decided by its keys and a seed: the same in every run."""

from pyspark.sql import Column
from pyspark.sql import functions as F

STEPS = 1_000_000


def draw(seed: int, *keys: str) -> Column:
    """Return a whole number from 0 to ``STEPS`` - 1 for each row, uniform over the rows.

    Args:
        seed: another seed draws other numbers.
        keys: names of the columns that decide; rows that agree in them draw the same number.
    """
    return F.pmod(F.xxhash64(F.lit(seed), *keys), F.lit(STEPS))


def drawn(share: float, seed: int, *keys: str) -> Column:
    """Return whether a row is among the ``share`` (0 to 1) of rows that are drawn.

    Args:
        share: of the rows; rounded to a millionth.
        seed: see ``draw``.
        keys: see ``draw``.
    """
    return draw(seed, *keys) < F.lit(round(share * STEPS))
