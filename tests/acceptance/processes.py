"""Commands as their users run them: each a process of its own. Nothing of the library is imported here."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PYSPARK_PYTHON": sys.executable}
# Small enough for a small machine, and no port to fight over. A process of a few rows ends before what the
# JVM's second compiler makes of it pays: without it such a job takes a quarter less.
SMALL = {
    "spark.driver.memory": "2g", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2",
    "spark.driver.extraJavaOptions": "-XX:+UseParallelGC -XX:TieredStopAtLevel=1",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",  # compiling a plan costs another quarter
}  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """A process that has ended: ``result`` is the last line of its stdout."""

    code: int
    stdout: str
    stderr: str
    result: dict[str, Any]


def shell(*arguments: str, settings: dict[str, str]) -> list[str]:
    """Return the command ``loanbook NAME ...``."""
    spark = [f"spark.conf.{key.replace('.', chr(92) + '.')}={value}" for key, value in SMALL.items()]
    return [str(PROGRAMS / "loanbook"), *arguments, *set_options([*spark, *pairs(settings)])]


def submit(name: str, *arguments: str, settings: dict[str, str]) -> list[str]:
    """Return the command ``spark-submit jobs/NAME.py ...``."""
    conf = [word for key, value in SMALL.items() for word in ("--conf", f"{key}={value}")]
    program = str(ROOT / "jobs" / f"{name.replace('-', '_')}.py")
    return [str(PROGRAMS / "spark-submit"), *conf, program, *arguments, *set_options(pairs(settings))]


def pairs(settings: dict[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in settings.items()]


def set_options(given: list[str]) -> list[str]:
    return [word for pair in given for word in ("--set", pair)]


def ended(command: list[str], folder: Path) -> Ended:
    """Run a job in a process and return how it ended, by its last line, which ``--result`` must repeat."""
    file = folder / "result.json"
    file.unlink(missing_ok=True)
    done = subprocess.run(
        [*command, "--result", str(file)], capture_output=True, text=True, env=ENVIRONMENT, cwd=folder
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    result = json.loads(lines[-1])
    assert json.loads(file.read_text("utf-8")) == result
    assert result["exit_code"] == done.returncode
    return Ended(done.returncode, done.stdout, done.stderr, result)
