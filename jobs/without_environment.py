"""What the programs beside this one say to a Python that has no loanbook."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Optional

ERROR = """required: the Python package loanbook, with the packages that it uses
found:    not in {python}
do:       activate the environment that has it (. .venv/bin/activate), or name its Python: \
PYSPARK_PYTHON=.venv/bin/python spark-submit ..."""


def main(arguments: Optional[Sequence[str]] = None) -> int:  # noqa: UP045 - it is an older Python that comes here
    """Say what is missing, end with a result as every job does, and return the exit code of bad usage."""
    job, *given = arguments or [""]
    error = ERROR.format(python=sys.executable)
    line = json.dumps({"job": job.replace("-", "_"), "status": "failed", "error": error, "exit_code": 2})
    sys.stderr.write(f"{error}\n")
    sys.stdout.write(f"{line}\n")
    for flag, value in zip(given, given[1:]):  # noqa: B905, RUF007 - as above
        if flag == "--result":
            Path(value).write_text(f"{line}\n", "utf-8")
    return 2
