import json
import logging
import re
from pathlib import Path

from loanbook.errors import GateRefused, InputError
from loanbook.logs import configure_logging, progress, timed
from loanbook.warehouse.session import _with_logging


def test_json_logs_are_one_object_a_line_with_the_traceback(capsys):
    configure_logging("json")
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("loanbook.x").exception("it failed")
    captured = capsys.readouterr()
    line = json.loads(captured.err)
    assert captured.out == ""
    assert line["level"] == "error"
    assert line["message"] == "it failed"
    assert "ValueError: broken" in line["traceback"]


def test_text_logs_and_progress_stay_off_stdout(capsys):
    configure_logging("text")
    logging.getLogger("loanbook.x").info("working")
    assert list(progress(range(3), "rows")) == [0, 1, 2]
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "working" in captured.err
    assert "rows" not in captured.err  # no terminal, no bar


def test_timed_adds_up():
    seconds = {"a": 5.0}
    with timed(seconds, "a"):
        pass
    assert 5.0 <= seconds["a"] < 5.5


def test_an_error_says_what_was_required_found_and_to_do_and_survives_a_process():
    import pickle

    error = pickle.loads(pickle.dumps(GateRefused(required="a", found="b", do="c")))  # noqa: S301 - our own bytes
    assert str(error) == "required: a\nfound:    b\ndo:       c"
    assert isinstance(error, InputError)
    assert error.exit_code == 3


def test_the_jvm_logs_as_the_job_does_unless_told_otherwise():
    given = _with_logging("-XX:+UseZGC", "json")
    assert re.fullmatch(r"-XX:\+UseZGC -Dlog4j2\.configurationFile=file:.*/log4j2-json\.properties", given)
    assert Path(given.partition("file:")[2]).is_file()
    assert _with_logging("-Dlog4j2.configurationFile=mine", "json") == "-Dlog4j2.configurationFile=mine"


def test_a_dead_jvms_stack_traces_are_not_logged_and_other_libraries_errors_are():
    configure_logging("text")
    root = logging.getLogger()
    place = "/site-packages/py4j/java_gateway.py"
    record = logging.LogRecord(
        "root", logging.ERROR, place, 1, "Exception while sending command.", None, None
    )
    assert not root.filter(record)
    assert root.filter(logging.LogRecord("root", logging.ERROR, "/other.py", 1, "it failed", None, None))
