"""What every training process is told, and what it leaves where."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings


def checkpoint_file(member: int) -> str:
    """Return the file of a member's training, in the work folder."""
    return f"checkpoint_{member}.npz"


@dataclass(frozen=True)
class TrainRequest:
    """What every worker is told.

    Args:
        snapshot: folder of the training snapshot.
        work: folder that gets the checkpoints, and what is fitted (see ``trained.py``).
        rate: default rate that the untrained network gives.
        model: the architecture; its head is named.
        trainable: whether the rows support any training; if not, network and baselines stay at ``rate``.
    """

    snapshot: Path
    work: Path
    model: ModelSettings
    train: TrainSettings
    rate: float
    trainable: bool
    resume: bool

    @property
    def target(self) -> Head:
        """Return the head; what a tape says of its own outcome changes nothing in training."""
        return head(str(self.model.head))


def without_baselines(request: TrainRequest, fitted: Collection[str]) -> TrainRequest:
    """Return a request without the baselines that are fitted already."""
    left = tuple(choice for choice in request.train.baselines if choice.name not in fitted)
    return replace(request, train=request.train.model_copy(update={"baselines": left}))
