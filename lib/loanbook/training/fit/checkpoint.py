"""The state of a training after an epoch, in one file that is replaced whole."""

import json
import logging
import os
import uuid
import zipfile
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

log = logging.getLogger(__name__)


@dataclass
class Progress:
    """Epochs done and the best so far by tune log loss; epoch 0 is the untrained network."""

    epoch: int = 0
    best_epoch: int = 0
    best_loss: float = float("inf")
    history: list[dict[str, float]] = field(default_factory=list)

    def stale(self, patience: int) -> bool:
        """Return whether the last ``patience`` epochs brought nothing better."""
        return self.epoch - self.best_epoch >= patience


@dataclass
class State:
    """Everything that an interrupted training needs."""

    progress: Progress
    weights: list[Array]
    optimizer: list[Array]
    best: list[Array]


def save_state(path: Path, state: State) -> None:
    """Write the state; a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        "progress": np.frombuffer(json.dumps(asdict(state.progress)).encode(), np.uint8)
    }
    for group in ("weights", "optimizer", "best"):
        arrays |= {f"{group}_{number}": array for number, array in enumerate(getattr(state, group))}
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with temporary.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def load_state(path: Path) -> State | None:
    """Return the state saved there; None where there is none, or one that is cut short or altered."""
    if not path.is_file():
        return None
    try:
        return _read_state(path)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        log.warning("training begins anew, as %s cannot be read: %s", path, error or type(error).__name__)
        return None


def _read_state(path: Path) -> State:
    with np.load(path, allow_pickle=False) as arrays:
        progress = Progress(**json.loads(arrays["progress"].tobytes()))
        groups = {
            group: [arrays[f"{group}_{number}"] for number in range(_count(arrays.files, group))]
            for group in ("weights", "optimizer", "best")
        }
    return State(progress=progress, **groups)


def _count(names: list[str], group: str) -> int:
    return sum(name.startswith(f"{group}_") for name in names)
