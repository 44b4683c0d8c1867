"""Archive the classes that a job loads, for the JVMs after this one to start with (class data sharing).

Loading and verifying some 20,000 classes is a third of a short job. A JVM that the archive does not fit, as
of another Java, starts without it.
"""

import tempfile
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from loanbook.settings.settings import load_settings
from loanbook.warehouse.session import CLASS_ARCHIVE, JAVA_OPTIONS, build_session


def main() -> None:
    """Run what jobs do, on ten rows, in a JVM that archives its classes when it ends."""
    spark_settings = load_settings().spark
    given = spark_settings.conf.get(JAVA_OPTIONS, "")
    CLASS_ARCHIVE.unlink(missing_ok=True)
    made = CLASS_ARCHIVE.with_suffix(".part")
    made.unlink(missing_ok=True)
    conf = {**spark_settings.conf, JAVA_OPTIONS: f"{given} -XX:ArchiveClassesAtExit={made}".strip()}
    spark = build_session(spark_settings.model_copy(update={"conf": conf}), "archive of classes")
    with tempfile.TemporaryDirectory() as folder:
        _work(spark, Path(folder))
        jvm = spark.sparkContext._gateway.proc  # type: ignore[union-attr]
        spark.stop()
        jvm.stdin.close()  # at which it ends, and writes
        jvm.wait()
    made.rename(CLASS_ARCHIVE)


def _work(spark: SparkSession, folder: Path) -> None:
    table = str(folder / "table")
    rows = spark.range(10).select(
        F.col("id").cast("string").alias("loan_id"),
        F.last_day(F.add_months(F.lit("2020-01-31").cast("date"), F.col("id").cast("int"))).alias("month"),
        (F.col("id") / 2).cast("decimal(16,2)").alias("upb"),
        F.create_map(F.lit("a"), F.col("id").cast("double")).alias("more"),
        F.array(F.lit("x")).alias("flags"),
    )
    by_loan = Window.partitionBy("loan_id").orderBy("month")
    judged = rows.withColumn("before", F.lag("upb").over(by_loan)).where("upb >= 0")
    judged.write.mode("overwrite").parquet(str(folder / "kept"))
    kept = spark.read.parquet(str(folder / "kept"))
    for _ in range(2):
        writer = kept.repartition("month").write.format("delta").mode("overwrite").partitionBy("month")
        writer.option("replaceWhere", "month >= '2020-01-01'").save(table)
    kept.write.format("delta").mode("append").save(table)
    read = spark.read.format("delta").option("versionAsOf", 1).load(table)
    joined = read.join(kept.select("loan_id", F.explode("flags").alias("flag")), "loan_id", "left")
    joined.groupBy("flag").agg(F.count("*"), F.sum("upb"), F.collect_list("loan_id")).collect()
    kept.mapInArrow(lambda batches: batches, kept.schema).toPandas()
    _restored(spark, table).isEmpty()


def _restored(spark: SparkSession, table: str) -> DataFrame:
    spark.sql(f"RESTORE TABLE delta.`{table}` TO VERSION AS OF 1").collect()
    return spark.table(f"delta.`{table}`").where(F.col("upb").isNull())


if __name__ == "__main__":
    main()
