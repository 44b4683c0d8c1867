"""Step functions of a column: which bin a value lies in, and the tree that sends it there.

``edges`` ascend. A value's bin is the number of edges that are at most the value, so that an edge begins the
bin above it; a missing value's bin comes after all others.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from loanbook.models.trees import LEAF, Tree

Bins = npt.NDArray[np.int64]


def bins_of(values: npt.NDArray[np.float32], edges: Sequence[float]) -> Bins:
    """Return the bin of each value.

    >>> bins_of(np.array([np.nan, 579, 580, 900], np.float32), [580, 620]).tolist()
    [3, 0, 1, 2]
    """
    found = np.searchsorted(np.asarray(edges, np.float64), values.astype(np.float64), side="right")
    return np.where(np.isnan(values), len(edges) + 1, found)


def add_steps(tree: Tree, feature: int, edges: Sequence[float], add_bin: Callable[[int], int]) -> int:
    """Add the nodes that part a column into its bins, and return the place of the first.

    Args:
        tree: that they are added to.
        feature: the column.
        edges: of its bins.
        add_bin: adds what stands at a bin, such as a leaf, and returns its place.
    """

    def part(low: int, high: int) -> int:
        if low == high:
            return add_bin(low)
        middle = (low + high) // 2
        place = tree.add(feature, _just_below(edges[middle]), False, 0.0)
        tree.left[place], tree.right[place] = part(low, middle), part(middle + 1, high)
        return place

    known = tree.add(feature, np.inf, False, 0.0)  # only a missing value goes right
    tree.left[known], tree.right[known] = part(0, len(edges)), add_bin(len(edges) + 1)
    return known


def step_tree(feature: int, edges: Sequence[float], values: Sequence[float]) -> Tree:
    """Return the tree that gives the value of a column's bin.

    Args:
        feature: the column.
        edges: of its bins.
        values: of the bins, that of missing values last.
    """
    tree = Tree()
    add_steps(tree, feature, edges, lambda place: tree.add(LEAF, 0.0, False, float(values[place])))
    return tree


def _just_below(edge: float) -> float:
    """Return the greatest float32 below an edge: a tree sends left what is at most its threshold.

    >>> _just_below(1.0) < 1.0, _just_below(0.1) == float(np.nextafter(np.float32(0.1), np.float32(0)))
    (True, True)
    """
    near = np.float32(edge)
    return float(np.nextafter(near, np.float32(-np.inf)) if near >= edge else near)
