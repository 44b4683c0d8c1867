"""Trees over the columns of a model: the matrix that they are grown on, and their ONNX file.

A tree needs no first layers: it takes a number as it is, missing ones too, and a category by its rank. Nor
are numbers clipped: a split needs rows on both sides, and beyond the last one a tree is constant, so that it
goes on nowhere; clipped, a late split that rows do support would be lost. Columns of words are not read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from loanbook.models.inputs.rows import Rows
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.sigmoid_nodes import sigmoid_nodes

Matrix = npt.NDArray[np.float32]

LEAF = -1
LARGEST = np.finfo(np.float32).max
PRIOR_ROWS = 20.0  # weight of the rate of all rows in that of a category
OPSET, ML_OPSET, IR = 17, 3, 9


@dataclass(frozen=True)
class TreeColumns:
    """The columns that trees split on: the numbers of a spec, then the categories and their histories.

    Of all ways to part the categories of a column in two, the best keeps them in the order of their rate
    (Breiman, Friedman, Olshen and Stone 1984, *Classification and Regression Trees*, section 4.2.2). So a
    category counts as its rank in that order. The ranks are those of all training rows: deeper in a tree,
    where the order may differ, a split of ranks can be worse than the best of sets.

    Args:
        spec: of the model.
        ranks: of each column of codes that is read: its place, and the rank of each code from 0 on.
    """

    spec: InputSpec
    ranks: tuple[tuple[int, Matrix], ...]

    @classmethod
    def fitted(cls, spec: InputSpec, train: Rows) -> "TreeColumns":
        """Return the columns, with the ranks that the categories have in training rows.

        A rate leans on that of all rows (20 rows of it), so that rare categories stand in the middle.
        """
        rate = float(np.average(train.label, weights=train.weight))
        ranks = []
        for place, size in _code_columns(spec):
            rows = np.bincount(train.codes[:, place], train.weight, size)
            events = np.bincount(train.codes[:, place], train.weight * train.label, size)
            leaning = (events + PRIOR_ROWS * rate) / (rows + PRIOR_ROWS)
            order = np.argsort(leaning, kind="stable")
            of_code = np.empty(size, np.float32)
            of_code[order] = np.arange(size)
            ranks.append((place, of_code))
        return cls(spec, tuple(ranks))

    @property
    def names(self) -> list[str]:
        """Return the names of the columns, in the spec's words."""
        return self.spec.numeric_columns + [self.spec.code_columns[place] for place, _ in self.ranks]

    def with_missing_codes(self) -> "TreeColumns":
        """Return the columns with the code 0, missing or unknown, as a missing value instead of a rank."""
        ranks = [
            (place, np.concatenate([[np.float32(np.nan)], of_code[1:]])) for place, of_code in self.ranks
        ]
        return TreeColumns(self.spec, tuple(ranks))

    def matrix(self, rows: Rows) -> Matrix:
        """Return what the trees split on: float32 of shape (rows, columns), NaN for missing numbers.

        An infinite number, which no snapshot holds, becomes the largest that there is.
        """
        codes = [of_code[rows.codes[:, place]] for place, of_code in self.ranks]
        numbers = np.clip(rows.numeric, -LARGEST, LARGEST)
        return np.column_stack([numbers, *codes]).astype(np.float32)


def _code_columns(spec: InputSpec) -> Iterator[tuple[int, int]]:
    """Yield the place among the columns of codes, and the number of codes, of each that trees read."""
    places = {name: place for place, name in enumerate(spec.code_columns)}
    for item in spec.categorical:
        yield places[item.column], len(item.vocabulary) + 1
    for sequence in spec.categorical_sequences:
        for column in sequence.columns:
            yield places[column], sequence.size


@dataclass
class Tree:
    """A binary tree in arrays, a place for each node; the root is the first.

    A row goes left where its value is at most the threshold. Thresholds are rounded down to float32: values
    are float32, so that each goes where the threshold itself would send it.

    Args:
        feature: column of each node; -1 of a leaf.
        threshold: of each node.
        left: place of the node for rows at or below the threshold.
        right: of the others.
        missing_left: whether a missing value goes left.
        value: what a leaf gives.
    """

    feature: list[int] = field(default_factory=list)
    threshold: list[float] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    missing_left: list[bool] = field(default_factory=list)
    value: list[float] = field(default_factory=list)

    def add(self, feature: int, threshold: float, missing_left: bool, value: float) -> int:
        """Add a node, or a leaf where ``feature`` is -1, and return its place; its children follow."""
        self.feature.append(feature)
        self.threshold.append(_rounded_down(threshold))
        self.missing_left.append(missing_left)
        self.value.append(value)
        self.left.append(0)
        self.right.append(0)
        return len(self.feature) - 1


def leaf_rows(wanted: int, rows: int) -> int:
    """Return the fewest rows of a leaf: those wanted, or on few rows a quarter of them.

    >>> leaf_rows(100, 1_000_000), leaf_rows(100, 40)
    (100, 10)
    """
    return min(wanted, max(1, rows // 4))


def _rounded_down(threshold: float) -> float:
    """Return the greatest float32 that is not above a number.

    >>> _rounded_down(0.1) <= 0.1 < float(np.nextafter(np.float32(_rounded_down(0.1)), np.float32(1)))
    True
    """
    with np.errstate(over="ignore"):
        near = np.float32(threshold)
    return float(np.nextafter(near, np.float32(-np.inf)) if near > threshold else near)


def trees_as_onnx(
    columns: TreeColumns, trees: Sequence[Tree], gives: Literal["logit", "probability"]
) -> bytes:
    """Return an ONNX file of the sum of some trees, from ``numeric`` and ``codes`` to shape (rows, 1).

    Args:
        columns: what the trees split on.
        trees: at least one.
        gives: what the sum of the leaves is; of logits the file returns the probabilities.
    """
    from onnx import TensorProto, helper

    numbers, codes = len(columns.spec.numeric_columns), len(columns.spec.code_columns)
    inputs = [helper.make_tensor_value_info("numeric", TensorProto.FLOAT, [None, numbers])]
    nodes, constants, parts = [], [], ["numeric"]
    if columns.ranks:
        inputs.append(helper.make_tensor_value_info("codes", TensorProto.INT32, [None, codes]))
    for place, of_code in columns.ranks:
        constants += [
            helper.make_tensor(f"place_{place}", TensorProto.INT64, [1], [place]),
            helper.make_tensor(f"ranks_{place}", TensorProto.FLOAT, [len(of_code)], of_code.tolist()),
        ]
        nodes += [
            helper.make_node("Gather", ["codes", f"place_{place}"], [f"code_{place}"], axis=1),
            helper.make_node("Gather", [f"ranks_{place}", f"code_{place}"], [f"rank_{place}"]),
        ]
        parts.append(f"rank_{place}")
    nodes.append(helper.make_node("Concat", parts, ["columns"], axis=1))
    total = "pd" if gives == "probability" else "score"
    grown: dict[str, Any] = {**_attributes(trees), "n_targets": 1, "aggregate_function": "SUM"}
    nodes.append(
        helper.make_node("TreeEnsembleRegressor", ["columns"], [total], domain="ai.onnx.ml", **grown)
    )
    if gives == "logit":
        last, ones = sigmoid_nodes(total, "pd")
        nodes, constants = nodes + last, constants + ones
    output = helper.make_tensor_value_info("pd", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph(nodes, "trees", inputs, [output], constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=IR).SerializeToString())


def _attributes(trees: Sequence[Tree]) -> dict[str, list[Any]]:
    """Return the attributes of the operator: an entry for each node, and for each leaf one of the target."""
    nodes, leaves = [], []
    for number, tree in enumerate(trees):
        for place, feature in enumerate(tree.feature):
            mode = "LEAF" if feature == LEAF else "BRANCH_LEQ"
            missing = int(tree.missing_left[place])
            nodes.append(
                (number, place, max(feature, 0), tree.threshold[place], mode, tree.left[place],
                 tree.right[place], missing)
            )  # fmt: skip
            if feature == LEAF:
                leaves.append((number, place, 0, tree.value[place]))
    of_nodes = (
        "treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids",
        "missing_value_tracks_true",
    )  # fmt: skip
    return {
        **_by_name("nodes", of_nodes, nodes),
        **_by_name("target", ("treeids", "nodeids", "ids", "weights"), leaves),
    }


def _by_name(of: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    columns = zip(*rows, strict=True)
    return {f"{of}_{name}": list(column) for name, column in zip(names, columns, strict=True)}
