"""How the members of a network, or of boosted trees, learnt, and how many defaults stopped each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from loanbook.comparison.entrants import Entrant
from loanbook.models.artefact.artefact import MODEL, of_predictor
from loanbook.models.baselines import BY_TREE
from loanbook.models.clustered import Floats
from loanbook.training.snapshot.read import Snapshot
from loanbook.training.snapshot.row_groups import files_of


@dataclass(frozen=True)
class Learnt:
    """The losses of one member.

    Args:
        rounds: epochs, the untrained network's 0 first, or number of trees.
        train: loss on the rows that it was fitted on, of each round; NaN where it was not taken.
        tune: loss on the rows that stop it.
        kept: the round that the member is left at.
        stopped_by: defaulting borrowers among the rows that stop it.
    """

    rounds: Floats
    train: Floats
    tune: Floats
    kept: int
    stopped_by: int

    @property
    def least(self) -> float:
        """Return the loss of the round that was kept, on the rows that stop it."""
        return float(self.tune[self.rounds == self.kept][0])

    def __str__(self) -> str:
        """Return what it kept, and how many defaults stopped it, or would have, given more rounds."""
        last = int(self.rounds[-1])
        stopped = "stopped" if self.kept < last else "not yet stopped"
        return f"{self.kept:,} of {last:,}, {stopped} by {self.stopped_by:,} defaulting borrowers"


@dataclass(frozen=True)
class Learning:
    """The members of an entrant, what a round of theirs is, and what their losses are the log loss of."""

    round: str
    members: Sequence[Learnt]
    loss_of: str

    def mean(self, part: str) -> tuple[Floats, Floats]:
        """Return the rounds that all members have, and the mean of their losses.

        Beyond these the mean would be of those members alone that went on.

        Args:
            part: ``train`` or ``tune``.
        """
        shared = min(len(member.rounds) for member in self.members)
        losses = [getattr(member, part)[:shared] for member in self.members]
        return self.members[0].rounds[:shared], np.mean(losses, axis=0)


def learning_of(entrant: Entrant, stopped_by: Sequence[int]) -> Learning | None:
    """Return how an entrant's members learnt; None where its artefact keeps no history of that.

    Args:
        entrant: a network or a baseline.
        stopped_by: defaulting borrowers of the part that stops each member.
    """
    metrics = entrant.artefact.json("metrics.json")
    own = list(_epochs(metrics) if entrant.predictor == MODEL else _trees(metrics, entrant.predictor))
    fits = max(1, len(own) // len(stopped_by))  # of a member, one after another
    members = [Learnt(*found, stopped_by[number // fits]) for number, found in enumerate(own)]
    if not members:
        return None
    learns = of_predictor(entrant.artefact.head, entrant.predictor)
    return Learning("epoch" if entrant.predictor == MODEL else "trees", members, learns.loss_of)


def _epochs(metrics: Mapping[str, Any]) -> Iterator[tuple[Floats, Floats, Floats, int]]:
    for history, best in zip_longest(metrics.get("history", ()), metrics.get("best_epoch", ())):
        if history:
            columns = [
                np.array([epoch.get(name, np.nan) for epoch in history], np.float64)
                for name in ("epoch", "train_log_loss", "tune_log_loss")
            ]
            yield columns[0], columns[1], columns[2], int(best)


def _trees(metrics: Mapping[str, Any], baseline: str) -> Iterator[tuple[Floats, Floats, Floats, int]]:
    for facts in metrics.get("baselines", {}).get(baseline, ()):
        losses = np.array(facts.get(BY_TREE, ()), np.float64)
        if len(losses):
            rounds = np.arange(1, len(losses) + 1, dtype=np.float64)
            yield rounds, np.full(len(losses), np.nan), losses, int(facts["trees"])


def stopping_borrowers(snapshot: Snapshot) -> list[int]:
    """Return how many borrowers of the part that stops each member default, as training says it."""
    return [_defaulting(snapshot, member.tune) for member in snapshot.fold.members]


def _defaulting(snapshot: Snapshot, role: str) -> int:
    defaults = [
        pq.read_table(file, columns=["source", "borrower"], filters=[("label", ">", 0)], partitioning=None)
        for file in files_of(snapshot.role_folder(role))
    ]
    return len({tuple(row.values()) for table in defaults for row in table.to_pylist()})
