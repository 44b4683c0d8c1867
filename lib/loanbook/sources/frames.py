"""Frames that are read more than once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame

Keep = Callable[[DataFrame], DataFrame]


@contextmanager
def kept_frames() -> Iterator[Keep]:
    """Yield a function that keeps a frame's rows, once computed, until the block ends."""
    frames: list[DataFrame] = []

    def keep(df: DataFrame) -> DataFrame:
        frames.append(df.persist())
        return frames[-1]

    try:
        yield keep
    finally:
        for frame in frames:
            frame.unpersist()
