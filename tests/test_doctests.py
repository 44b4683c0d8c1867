"""The examples in the docstrings are true."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

LIB = Path(__file__).parents[1] / "lib"
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(LIB).with_suffix("").parts)
    for path in LIB.rglob("*.py")
    if ">>>" in path.read_text("utf-8")
)


@pytest.mark.train
@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples(module):
    found = doctest.testmod(import_module(module))
    assert found.attempted > 0
    assert found.failed == 0
