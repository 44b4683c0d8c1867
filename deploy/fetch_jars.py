"""Fetch Delta's jars once, with Spark's own resolver, into the folder every session loads: pyspark's own."""

import shutil
import tempfile
from pathlib import Path

import pyspark
from delta.pip_utils import configure_spark_with_delta_pip
from pyspark.sql import SparkSession

JARS = Path(pyspark.__file__).parent / "jars"


def main() -> None:
    """Resolve the Maven artifacts that fit the installed delta-spark and copy them to ``JARS``."""
    if any(JARS.glob("io.delta_delta-spark*.jar")):
        return
    with tempfile.TemporaryDirectory() as cache:
        builder = SparkSession.builder.master("local[1]").config("spark.jars.ivy", cache)
        configure_spark_with_delta_pip(builder.config("spark.ui.enabled", False)).getOrCreate().stop()
        for jar in Path(cache, "jars").glob("io.delta_*.jar"):  # Spark brings the ANTLR they need
            shutil.copy2(jar, JARS / jar.name)


if __name__ == "__main__":
    main()
