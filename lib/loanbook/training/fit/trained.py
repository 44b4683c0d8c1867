"""What training processes leave, as files, for the job: each member's network, weights and facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loanbook.models.artefact.artefact import MODEL
from loanbook.models.artefact.earlier import Fitted
from loanbook.training.fit.request import TrainRequest
from loanbook.warehouse.storage import read_json, write_json


@dataclass(frozen=True)
class Trained:
    """The fitted members of a model and of its baselines.

    Args:
        networks: ONNX files of the members, by predictor, the model first.
        weights: of each member of the model.
        facts: what fitting found, by predictor and member; of the model its epochs and their losses.
    """

    networks: Mapping[str, Sequence[bytes]]
    weights: Sequence[bytes]
    facts: Mapping[str, Sequence[Mapping[str, Any]]]


def write_member(
    work: Path, predictor: str, member: int, network: bytes, facts: Mapping[str, Any], weights: bytes = b""
) -> None:
    """Write a fitted member of a predictor into the work folder."""
    folder = _folder(work, predictor, member)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.onnx").write_bytes(network)
    (folder / "weights.h5").write_bytes(weights)
    write_json(folder / "facts.json", dict(facts))


def read_trained(request: TrainRequest, members: int, known: Mapping[str, Fitted] | None = None) -> Trained:
    """Return what the processes of a finished training left.

    Args:
        request: what they were told, without the baselines that are known.
        members: of the model and of each baseline.
        known: baselines that were fitted before: the file of all their members, and what these found.
    """
    before = known or {}
    names = [choice.name for choice in request.train.baselines]
    folders = {name: [_folder(request.work, name, one) for one in range(members)] for name in (MODEL, *names)}
    return Trained(
        networks={
            **{name: [(one / "network.onnx").read_bytes() for one in each] for name, each in folders.items()},
            **{name: [content] for name, (content, _) in before.items()},
        },
        weights=[(folder / "weights.h5").read_bytes() for folder in folders[MODEL]],
        facts={
            **{name: [read_json(one / "facts.json") for one in each] for name, each in folders.items()},
            **{name: facts for name, (_, facts) in before.items()},
        },
    )


def _folder(work: Path, predictor: str, member: int) -> Path:
    return work / "trained" / predictor / str(member)
