"""Frames that are read more than once: computed once, into files beside the landed lines."""

from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame

from loanbook.path_forms import spark_reads

Keep = Callable[[DataFrame, str], DataFrame]


def keeper(folder: Path) -> Keep:
    """Return a function that writes a frame's rows to a folder of that name and returns them read back.

    Unlike a cache this keeps memory flat, lets a reader pick columns, and cuts the plan, which would
    otherwise be analysed again with every step that follows.
    """

    def keep(df: DataFrame, name: str) -> DataFrame:
        path = folder / name
        df.write.option("compression", "lz4").parquet(str(path))
        return df.sparkSession.read.schema(df.schema).parquet(spark_reads(path))

    return keep
