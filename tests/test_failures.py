import errno
import re
import sys

import pytest

from loanbook.causes import cause_of
from loanbook.errors import GateRefused, InputError, LoanbookError
from loanbook.failures import explained, place_of

IN_A_STAGE = """An error occurred while calling o187.collectToPython.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 1 in stage 4.0 failed 1 times, \
most recent failure: Lost task 1.0 in stage 4.0 (TID 9) (192.0.2.2 executor driver): """
WORKER = """
  An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "/opt/loanbook/sources/landing.py", line 10, in _landed
    return land(file)
  File "/opt/pyarrow/io.py", line 3, in read
    raise {kind}
{kind}: {message}
"""
FULL = """An error occurred while calling o235.save.
: org.apache.spark.SparkException: [TASK_WRITE_FAILED] Failed writing rows to file:/w/loans. SQLSTATE: 1
\tat org.apache.spark.sql.errors.QueryExecutionErrors$.taskFailed(QueryExecutionErrors.scala:800)
Caused by: org.apache.parquet.util.AutoCloseables$ParquetCloseResourceException: Unable to close resource
\tat org.apache.parquet.util.AutoCloseables.uncheckedClose(AutoCloseables.java:85)
\tSuppressed: org.apache.hadoop.fs.FSError: java.io.IOException: No space left on device
Caused by: org.apache.hadoop.fs.FSError: java.io.IOException: No space left on device
\t... 21 more
"""
PATHS = {"paths.warehouse": "/w", "paths.models": "/w/_models"}


class Py4JJavaError(Exception):
    __module__ = "py4j.protocol"


def told(text: str, kind: type[Exception] = Py4JJavaError) -> LoanbookError:
    return explained(kind(text), PATHS)


def test_a_workers_exception_is_shown_as_it_was_raised_with_its_place():
    text = IN_A_STAGE + WORKER.format(kind="ValueError", message="cannot read /tapes/x.txt: bad\nsecond line")
    error = told(f"{text}\nDriver stacktrace:\n\tat java.base\nCaused by: java.io.EOFException\n\t... 1 more")
    assert str(error).startswith("ValueError: cannot read /tapes/x.txt: bad second line (in a worker at ")
    assert "loanbook/sources/landing.py:10)" in str(error)
    assert (error.exit_code, cause_of(text).path) == (1, "/tapes/x.txt")


@pytest.mark.parametrize(("kind", "code"), [(InputError, 2), (GateRefused, 3)])
def test_an_error_of_ours_comes_out_of_a_worker_as_it_went_in(kind, code):
    went_in = kind(required="a", found="b\nmore", do="c")
    came_out = told(WORKER.format(kind=f"loanbook.errors.{kind.__name__}", message=str(went_in)))
    assert (type(came_out), str(came_out), came_out.exit_code) == (kind, str(went_in), code)
    assert str(told(WORKER.format(kind="loanbook.errors.LoanbookError", message="rows that break x"))) == (
        "rows that break x"
    )


def test_java_shows_its_innermost_cause_that_says_why_and_the_path_around_it():
    crashed = (
        "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed).\n\tat a.B(C.java:1)\n"
    )
    after = "Caused by: java.net.SocketException: Connection reset\n\t... 21 more"
    assert cause_of(IN_A_STAGE + crashed + after).line == (
        "SparkException: Python worker exited unexpectedly (crashed)"
    )
    assert cause_of(
        IN_A_STAGE + "java.io.IOException: Mkdirs failed to create file:/w/t (exists=false)"
    ).line == ("IOException: Mkdirs failed to create file:/w/t (exists=false)")
    cast = "Caused by: org.apache.spark.SparkNumberFormatException: [CAST_INVALID_INPUT] The value 'a0'"
    assert "SparkNumberFormatException: [CAST_INVALID_INPUT] The value 'a0' (file:/w/loans" in str(
        told(FULL.partition("Caused by")[0] + cast)
    )


@pytest.mark.parametrize(
    "error",
    [
        Py4JJavaError(FULL),
        Py4JJavaError(
            WORKER.format(kind="OSError", message="[Errno 28] No space left on device: '/w/loans/x'")
        ),
        OSError(errno.ENOSPC, "No space left on device", "/w/loans/x"),
    ],
)
def test_a_full_disk_is_named_with_path_and_setting(error):
    found = explained(error, PATHS)
    assert found.exit_code == 1
    assert str(found).startswith("the disk is full: No space left on device (")
    assert "/w/loans" in str(found)
    assert "below paths.warehouse)" in str(found)
    assert "\n" not in str(found)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EROFS, "Read-only file system", "/w/_models/a"),
        PermissionError(errno.EACCES, "Permission denied", "/w/_models/a"),
        Py4JJavaError(IN_A_STAGE + "java.io.FileNotFoundException: /w/_models/a (Permission denied)"),
        Py4JJavaError(IN_A_STAGE + "java.nio.file.AccessDeniedException: /w/_models/a"),
    ],
)
def test_what_may_not_be_written_or_read_is_bad_input_and_names_the_nearest_setting(error):
    found = explained(error, PATHS)
    assert found.exit_code == 2
    assert "required: access to /w/_models/a, below paths.models\n" in str(found)


def test_a_jvm_that_died_or_never_was_and_memory_that_ran_out_have_their_remedies():
    assert "JVM ended before the job did" in str(told("Answer from Java side is empty"))
    assert "JVM ended" in str(explained(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")))
    assert told("[JAVA_GATEWAY_EXITED] Java gateway process exited before").exit_code == 2
    assert "spark\\.driver\\.memory" in str(told(": java.lang.OutOfMemoryError: Java heap space\n\tat a.b"))


def test_an_unexpected_error_names_type_place_and_remedy_even_without_a_message():
    with pytest.raises(AttributeError) as raised:
        place_of("no exception")  # type: ignore[arg-type]
    found = explained(raised.value)
    assert found.exit_code == 1
    assert re.fullmatch(
        r"AttributeError: 'str' object has no attribute '__traceback__' \(at loanbook/failures.py:\d+\); "
        "run it again, and with --traceback if it fails again",
        str(found),
    )
    value = 3
    with pytest.raises(AssertionError) as failed:
        assert value == 4
    failed.value.args = ()  # without the message that pytest gives it
    assert str(explained(failed.value)).startswith("AssertionError: assert value == 4")


def test_a_missing_package_is_bad_input_and_a_missing_module_of_ours_is_not():
    missing = explained(ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow.python"))
    assert missing.exit_code == 2
    assert f"the Python package tensorflow\nfound:    none in {sys.executable}" in str(missing)
    assert explained(ModuleNotFoundError("No module named 'loanbook.x'", name="loanbook.x")).exit_code == 1


def test_a_file_of_a_table_that_is_gone_names_the_table_and_the_repair():
    said = "java.io.FileNotFoundException: File file:/w/loans/source=a/part-0.parquet does not exist"
    error = explained(RuntimeError(said), {"paths.warehouse": "/w", "paths.landing": "/w/_landing"})
    assert error.exit_code == 1  # no word of Spark's: it may be any file
    found = explained(py4j_error(said), {"paths.warehouse": "/w"})
    assert isinstance(found, InputError)
    assert "table loans" in found.required
    assert "settle-changes --table loans --take" in found.do


def py4j_error(said):
    kind = type("Py4JJavaError", (Exception,), {"__module__": "py4j.protocol"})
    return kind(f"An error occurred while calling o1.x.\n: {said}")


def test_what_an_interrupt_brought_about_is_an_interrupt():
    with pytest.raises(Exception, match="Answer from Java side") as raised:
        try:
            raise KeyboardInterrupt("SIGINT")
        finally:
            raise py4j_error("Answer from Java side is empty")
    assert str(explained(raised.value)) == "interrupted by SIGINT; run it again"
