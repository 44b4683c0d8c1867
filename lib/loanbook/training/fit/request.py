"""What every training process is told, and what it leaves where."""

from dataclasses import dataclass
from pathlib import Path

from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings

CHECKPOINT = "checkpoint.npz"  # in the work folder, while training
TRAINED = "trained"  # the folder in it that is there at the end
RESULT = "result.json"  # of that folder; beside it stand the networks and the members' weights


@dataclass(frozen=True)
class TrainRequest:
    """What every worker is told.

    Args:
        snapshot: folder of the training snapshot.
        work: folder that gets the checkpoint and, at the end, ``trained/``.
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
