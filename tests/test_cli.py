import json
import subprocess
import sys
from pathlib import Path

import pytest

from loanbook import commands
from loanbook.cli import main
from loanbook.commands import COMMANDS, Command
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


@pytest.mark.parametrize("arguments", [["no-such-job"], ["build-features", "--as-of", "yesterday"], []])
def test_bad_usage_exits_2(arguments):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    assert error.value.code == 2


def test_every_job_has_a_program_for_spark_submit_and_the_same_arguments():
    programs = {path.stem for path in (ROOT / "jobs").glob("*.py")}
    assert programs == {name.replace("-", "_") for name in COMMANDS}
    for name in COMMANDS:
        assert (
            f'main(["{name}", *sys.argv[1:]])' in (ROOT / "jobs" / f"{name.replace('-', '_')}.py").read_text()
        )


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
