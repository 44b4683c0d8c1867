import numpy as np
import pytest

from loanbook.models.inputs.spec import InputSpec
from loanbook.models.steps import bins_of, step_tree
from loanbook.models.trees import TreeColumns, trees_as_onnx
from tests.models.given import number, predicted, rows_of

SPEC = InputSpec(numeric=(number("x"), number("y")), categorical=())


@pytest.mark.parametrize("edges", [(), (0.0,), (-1.5, 0.1, 0.3, 7.0, 1e30), (-1e-40, 1e-40)])
def test_a_tree_gives_each_value_what_its_bin_has(edges: tuple[float, ...]) -> None:
    near = np.array(edges, np.float32)
    beside = [np.nextafter(near, np.float32(side)) for side in (-np.inf, np.inf)]
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, np.finfo(np.float32).max], np.float32)
    values = np.concatenate([near, *beside, odd, np.linspace(-3, 9, 50)]).astype(np.float32)
    rows = rows_of(np.column_stack([np.zeros(len(values)), values]), None, np.zeros(len(values)))
    gives = [0.01 * (1 + place) for place in range(len(edges) + 2)]
    network = trees_as_onnx(TreeColumns(SPEC, ()), [step_tree(1, edges, gives)], "probability")
    expected = [
        gives[-1] if np.isnan(value) else gives[sum(float(value) >= edge for edge in edges)]
        for value in values
    ]
    np.testing.assert_allclose(predicted(network, SPEC, rows), expected, rtol=1e-6)
    np.testing.assert_array_equal(np.array(gives)[bins_of(values, edges)], expected)
