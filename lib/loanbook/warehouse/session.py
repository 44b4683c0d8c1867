"""The one place that builds the Spark session."""

import logging
import os
import shlex
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyspark
from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from loanbook.errors import InputError
from loanbook.interrupts import interrupts_deferred
from loanbook.logs import LogFormat
from loanbook.settings.spark import SparkSettings

# What correctness needs; everything else is the profile's or spark-submit's.
REQUIRED = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Below its greatest value Spark measures all columns of a batch after each row: minutes for nested ones.
    "spark.sql.execution.arrow.maxBytesPerBatch": "2147483647b",
}
SAID_BY_THE_JOB = (
    "spark.executor.Executor",
    "spark.scheduler.TaskSetManager",
    "spark.util.Utils",
    "spark.sql.execution.datasources.FileFormatWriter",
    "spark.sql.delta.files.DeltaFileFormatWriter",
    "spark.sql.execution.datasources.v2.WriteToDataSourceV2Exec",
    "hadoop.mapreduce.lib.output.FileOutputCommitter",
)
# For each expression pyspark asks the JVM for these again: 5 to 13 % of a small ingest in a warm JVM.
ASKED_OFTEN = {
    "functions": ("col", "lit"),
    "org.apache.spark.sql.functions": ("col", "lit", "when", "coalesce", "struct", "transform"),
    "PythonUtils": ("toSeq",),
}
JAVA_OPTIONS = "spark.driver.extraJavaOptions"
CLASS_ARCHIVE = Path(pyspark.__file__).parent / "jars" / "loanbook.jsa"  # deploy/archive_classes.py makes it


def build_session(
    settings: SparkSettings,
    app_name: str = "loanbook",
    log_format: LogFormat = "text",
    folders: Mapping[str, str] | None = None,
) -> SparkSession:
    """Return the active session, or a new one with Delta, UTC and Arrow, whose JVM logs in the given format.

    A value that spark-submit or a running session has set is left alone.

    Args:
        settings: of Spark.
        app_name: what Spark's pages call it.
        log_format: of what the JVM logs.
        folders: setting to its local folder, whose name the JVM must be able to write.

    Raises:
        InputError: Delta's jars are not on the class path, or the JVM's locale lacks a folder's characters.
    """
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    _name_files_in_utf8()
    conf = _conf(settings).setIfMissing("spark.app.name", app_name)
    java_options = _with_logging(conf.get(JAVA_OPTIONS, ""), log_format)
    conf.set(JAVA_OPTIONS, with_classes(java_options, CLASS_ARCHIVE))
    with interrupts_deferred():
        spark = SparkSession.builder.config(conf=conf).getOrCreate()
    _set_log_levels(spark)
    _remember_answers(spark)
    # It prints the stack trace of a failure that is raised as well.
    warnings.filterwarnings("ignore", "(?s)toPandas attempted Arrow optimization.*can not continue")
    for logger in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # our messages say it
    _require_delta(spark)
    _require_names(str(_java_property(spark, "sun.jnu.encoding")), folders or {})
    return spark


def _name_files_in_utf8() -> None:
    """Let the JVM name files as Python does: in the locale C, Python takes UTF-8 and a JVM takes ASCII."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "C")
    if sys.getfilesystemencoding() == "utf-8" and "utf" not in locale.lower():
        os.environ["LC_ALL"] = "C.UTF-8"


def _java_property(spark: SparkSession, name: str) -> Any:
    return spark._jvm.java.lang.System.getProperty(name)  # type: ignore[union-attr]


def _require_names(encoding: str, folders: Mapping[str, str]) -> None:
    """Refuse folders that the JVM cannot name, as where spark-submit started it in the locale C.

    Raises:
        InputError: names the first such setting.
    """
    for setting, folder in folders.items():
        try:
            folder.encode(encoding)
        except UnicodeEncodeError as error:
            raise InputError(
                required=f"a locale that has the characters of {setting}",
                found=f"{folder}, and a JVM whose file names are in {encoding}",
                do="export LC_ALL=C.UTF-8 before the command, or name the folder in ASCII",
            ) from error


def _set_log_levels(spark: SparkSession) -> None:
    """Let the JVM log errors only, and not those that the job's own error tells: each is a page of Java."""
    spark.sparkContext.setLogLevel("ERROR")
    log4j: Any = spark._jvm.org.apache.logging.log4j  # type: ignore[union-attr]
    for name in SAID_BY_THE_JOB:
        log4j.core.config.Configurator.setLevel(f"org.apache.{name}", log4j.Level.OFF)


def _remember_answers(spark: SparkSession) -> None:
    """Keep classes and static methods of the JVM where py4j looks before it asks for them."""
    jvm: Any = spark._jvm
    for name, methods in ASKED_OFTEN.items():
        found = getattr(jvm, name)
        for method in methods:
            setattr(found, method, getattr(found, method))
        setattr(jvm, name, found)


def cancel_jobs() -> None:
    """End what an interrupted call left running in Spark, so that it writes nothing more."""
    active = SparkSession.getActiveSession()
    if active is not None:
        active.sparkContext.cancelAllJobs()


def _conf(settings: SparkSettings) -> SparkConf:
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        SparkContext._ensure_initialized()  # so that SparkConf reads what spark-submit was given
    conf = SparkConf()
    for key, value in {**REQUIRED, **settings.conf}.items():
        conf.setIfMissing(key, value)
    if settings.master is not None:
        conf.setIfMissing("spark.master", settings.master)
    return conf


def _require_delta(spark: SparkSession) -> None:
    try:
        spark.sql("SELECT 1").schema  # noqa: B018 - loads the session's extensions and catalogue
        spark.catalog.databaseExists("default")
    except Exception as error:
        if "DeltaCatalog" not in str(error) and "ClassNotFound" not in str(error):
            raise
        raise InputError(
            required="Delta's jars on Spark's class path",
            found="none",
            do="run 'make setup', which puts them into pyspark's jars, or pass --packages "
            "io.delta:delta-spark_2.13:4.0.1 to spark-submit",
        ) from error


def _with_logging(java_options: str, log_format: LogFormat) -> str:
    """Return the JVM's options with the file that says how it logs, unless they name one."""
    if "log4j" in java_options:
        return java_options
    file = Path(__file__).with_name(f"log4j2-{log_format}.properties").as_uri()
    return f"{java_options} -Dlog4j2.configurationFile={file}".strip()


def with_classes(java_options: str, archive: Path) -> str:
    """Return the JVM's options with an archive of classes, where it is there and none is named or made.

    >>> with_classes("-XX:ArchiveClassesAtExit=new.jsa", Path("old.jsa"))
    '-XX:ArchiveClassesAtExit=new.jsa'
    """
    if "SharedArchiveFile" in java_options or "ArchiveClassesAtExit" in java_options or not archive.is_file():
        return java_options
    # Where it does not fit, the JVM says so on stdout, which belongs to the result.
    return f"{java_options} {shlex.quote(f'-XX:SharedArchiveFile={archive}')} -Xlog:disable".strip()


def java_class(spark: SparkSession, name: str) -> Any:
    """Return a class of the JVM; to name its packages one by one would take a search for each."""
    return getattr(spark._jvm, name)


@contextmanager
def named(spark: SparkSession, description: str) -> Iterator[None]:
    """Give the Spark jobs of the block a name that the Spark UI shows."""
    spark.sparkContext.setJobDescription(description)
    try:
        yield
    finally:
        spark.sparkContext.setJobDescription(None)  # type: ignore[arg-type]  # None clears it; the stub says str
