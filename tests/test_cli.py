import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from loanbook import commands
from loanbook.arguments import Command
from loanbook.cli import main
from loanbook.commands import COMMANDS
from loanbook.errors import GateRefused

ROOT = Path(__file__).parents[1]


def last_line(capsys) -> dict[str, object]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def fake_job(run, **arguments):
    if run.source == "refused":
        raise GateRefused(required="a", found="b", do="c")
    if run.source == "broken":
        raise RuntimeError("out of luck\nand more")
    return {"as_of": run.as_of, "arguments": arguments}


@pytest.fixture
def fake(monkeypatch):
    command = Command("build-features", "fake", f"{__name__}:fake_job")
    monkeypatch.setitem(commands.COMMANDS, "build-features", command)


@pytest.mark.usefixtures("fake")
def test_the_last_line_is_one_json_object_and_the_same_goes_to_the_result_file(capsys, tmp_path):
    result = tmp_path / "result.json"
    assert main(["build-features", "--as-of", "2024-02-03", "--result", str(result)]) == 0
    line = last_line(capsys)
    assert line["status"] == "published"
    assert line["as_of"] == "2024-02-29"
    assert line["exit_code"] == 0
    assert json.loads(result.read_text()) == line


@pytest.mark.usefixtures("fake")
@pytest.mark.parametrize(("source", "code"), [("refused", 3), ("broken", 1)])
def test_a_failure_has_its_exit_code_and_no_stack_trace(source, code, capsys):
    assert main(["build-features", "--source", source]) == code
    captured = capsys.readouterr()
    assert json.loads(captured.out)["exit_code"] == code
    assert "Traceback" not in captured.err
    assert main(["build-features", "--source", source, "--traceback"]) == code
    assert "Traceback" in capsys.readouterr().err


def test_an_unknown_setting_exits_2_before_anything_starts(capsys):
    assert main(["build-features", "--set", "book.stale=1"]) == 2
    assert "unknown key 'book.stale'" in str(last_line(capsys)["error"])


@pytest.mark.parametrize(
    ("arguments", "job", "words"),
    [
        ([], None, "COMMAND"),
        (["no-such-job"], None, "'no-such-job'"),
        (["sql", "--formats", "csv"], "sql", "--formats"),
        (["build-features", "--no-such-option"], "build_features", "--no-such-option"),
        (["train-model", "--workers", "two"], "train_model", "'two'"),
        (["build-features", "--as-of", "yesterday"], "build_features", "found:    'yesterday'"),
        (["build-features", "--as-of", "2019-13-01"], "build_features", "from 1970-01-31 to 2100-12-31"),
        (["score-portfolio", "--as-of", "9999-12-31"], "score_portfolio", "found:    '9999-12-31'"),
        (["score-portfolio", "--as-of=0001-01-01"], "score_portfolio", "found:    '0001-01-01'"),
    ],
)
def test_bad_usage_ends_with_a_result_as_any_failure_does(arguments, job, words, capsys, tmp_path):
    assert main([*arguments, f"--result={tmp_path / 'result.json'}"]) == 2
    line = last_line(capsys)
    assert (line["job"], line["status"], line["exit_code"]) == (job, "failed", 2)
    assert all(part in str(line["error"]) for part in ("required:", "found:", "do:", words))
    assert json.loads((tmp_path / "result.json").read_text()) == line


def test_the_first_and_the_last_month_that_can_be_asked_for(capsys):
    for day in ("1970-01-01", "2100-12-31"):  # the date is taken; the setting is what is wrong
        assert main(["build-features", "--as-of", day, "--set", "book.stale=1"]) == 2
        assert "book.stale" in str(last_line(capsys)["error"])


def test_a_warehouse_that_cannot_be_written_is_refused_before_the_work(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    assert main(["build-features", "--set", f"paths.warehouse={tmp_path}/file/warehouse"]) == 2
    assert f"{tmp_path}/file is a file" in str(last_line(capsys)["error"])


def test_an_answer_that_stdouts_encoding_lacks_is_escaped():
    code = "from loanbook.output import say; say('a\u4e2d\xe4')"
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=latin)
    assert done.stdout == b"a\\u4e2d\xe4"


def test_every_job_has_a_program_for_spark_submit_and_the_same_arguments():
    programs = {path.stem for path in (ROOT / "jobs").glob("*.py")} - {"without_environment"}
    assert programs == {name.replace("-", "_") for name in COMMANDS}
    for name in COMMANDS:
        assert (
            f'main(["{name}", *sys.argv[1:]])' in (ROOT / "jobs" / f"{name.replace('-', '_')}.py").read_text()
        )


def test_a_program_says_what_to_do_where_its_python_has_no_loanbook():
    program = ROOT / "jobs" / "build_features.py"
    done = subprocess.run([sys.executable, "-S", str(program)], capture_output=True, text=True, env={})
    assert done.returncode == 2
    assert "PYSPARK_PYTHON" in done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["job"], result["status"], result["exit_code"]) == ("build_features", "failed", 2)


def test_the_jobs_functions_take_the_arguments_their_command_declares():
    import inspect

    for command in COMMANDS.values():
        if command.name == "train-model":  # imports TensorFlow; test_training covers it
            continue
        parameters = list(inspect.signature(command.function()).parameters)
        assert parameters[0] == "run"
        assert sorted(parameters[1:]) == sorted(command.parameters), command.name


def test_help_needs_no_spark():
    script = """
import sys
from loanbook.cli import main
try:
    main(["--help"])
finally:
    assert "pyspark" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_a_result_that_cannot_be_written_is_refused_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for result in ("s3://bucket/x.json", str(tmp_path), str(tmp_path / "file" / "x.json")):
        code = main(["simulate-tapes", "--size", "tiny", "--out", str(tmp_path / "out"), "--result", result])
        answer = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (code, answer["exit_code"]) == (2, 2)
        assert "--result" in answer["error"]
    assert not (tmp_path / "out").exists()
