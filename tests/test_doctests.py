"""The examples in the docstrings are true, and all of them are run."""

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

LIB = Path(__file__).parents[1] / "lib"
EXAMPLE = re.compile(r"^ *>>> ", re.MULTILINE)
TRAINING = re.compile(r"^(?:import|from) (?:horovod|keras|petastorm|tensorflow)\b", re.MULTILINE)


def _with_examples():
    for path in sorted(LIB.rglob("*.py")):
        text = path.read_text("utf-8")
        if EXAMPLE.search(text):
            module = ".".join(path.relative_to(LIB).with_suffix("").parts)
            marks = [pytest.mark.train] if TRAINING.search(text) else []
            yield pytest.param(
                module.removesuffix(".__init__"), len(EXAMPLE.findall(text)), marks=marks, id=module
            )


@pytest.mark.parametrize(("module", "written"), [*_with_examples()])
def test_examples(module, written):
    found = doctest.testmod(import_module(module))
    assert found.attempted == written
    assert found.failed == 0
