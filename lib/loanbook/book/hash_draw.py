"""A number for each loan or row that its keys alone decide: random, and the same in every run."""

from pyspark.sql import Column
from pyspark.sql import functions as F

STEPS = 1_000_000


def draw(seed: int, *keys: str) -> Column:
    """Return a whole number from 0 to ``STEPS`` - 1, uniform over the rows, of a seed and key columns."""
    return F.pmod(F.xxhash64(F.lit(seed), *keys), F.lit(STEPS))


def drawn(share: float, seed: int, *keys: str) -> Column:
    """Return whether a row is among the ``share`` (0 to 1) of rows that are drawn."""
    return draw(seed, *keys) < F.lit(round(share * STEPS))
