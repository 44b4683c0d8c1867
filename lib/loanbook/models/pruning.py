"""Greedy choice of a network's submodels: the fewer there are, the less it costs to score.

Gorishniy, Kotelnikov and Babenko (2024, *TabM*) choose submodels this way after training; Caruana et al.
(2004), *Ensemble Selection from Libraries of Models*, whole models.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from loanbook.models.clustered import Floats

Keep = int | Literal["best"]


@dataclass(frozen=True)
class Pruning:
    """Which submodels of a network are kept.

    Args:
        kept: their places, ascending.
        submodels: how many there were.
        loss_of_all: log loss of the mean of all, on the rows that chose.
        loss_of_kept: of the mean of those that are kept.
    """

    kept: Sequence[int]
    submodels: int
    loss_of_all: float
    loss_of_kept: float

    def __str__(self) -> str:
        """Return what is kept, and what the rows that chose say of it."""
        which = ", ".join(map(str, self.kept))
        return (
            f"of {self.submodels} submodels {which} are kept: tune log loss {self.loss_of_kept:.6g}, "
            f"of all {self.loss_of_all:.6g}"
        )


def pruned(losses: Floats, weight: Floats, keep: Keep) -> Pruning:
    """Return which submodels are kept: added one by one, each the one that leaves their mean the least loss.

    Args:
        losses: -log of the probability that each submodel gave what came about, (rows, submodels).
        weight: of each row.
        keep: so many; or as many as are added until the next one would not lower the loss.

    >>> losses = -np.log([[0.9, 0.8, 0.5], [0.2, 0.6, 0.9]])
    >>> pruned(losses, np.ones(2), 1).kept, pruned(losses, np.ones(2), "best").kept
    ([1], [1, 2])
    """
    left, order, path = set(range(losses.shape[1])), list[int](), list[float]()
    total = np.full(len(losses), -np.inf)  # log of the sum of the probabilities of those that were added

    def loss_with(one: int) -> float:
        mean = np.logaddexp(total, -losses[:, one]) - np.log(len(order) + 1)
        return float(-np.average(mean, weights=weight))

    while left:
        loss, chosen = min((loss_with(one), one) for one in left)
        left.remove(chosen)
        order.append(chosen)
        path.append(loss)
        total = np.logaddexp(total, -losses[:, chosen])
    rises = (place for place in range(1, len(path)) if path[place] >= path[place - 1])
    count = next(rises, len(path)) if keep == "best" else keep
    return Pruning(sorted(order[:count]), len(order), path[-1], path[count - 1])
