"""What training processes leave, as files, for the job: each member's network, weights and facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loanbook.models.artefact.artefact import MODEL
from loanbook.models.artefact.earlier import Fitted
from loanbook.models.artefact.mean_onnx import mean_of
from loanbook.training.fit.request import TrainRequest
from loanbook.warehouse.storage import read_json, write_json


@dataclass(frozen=True)
class Trained:
    """The fitted members of a model and of its baselines.

    Args:
        networks: ONNX files of the members, by predictor, the model first.
        weights: of each network of the model, those of the first member first.
        facts: what fitting found, by predictor and member; of the model by network, its epochs and losses.
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
    fits, names = request.train.fits, [choice.name for choice in request.train.baselines]
    counts = {MODEL: members * fits, **dict.fromkeys(names, members)}
    folders = {name: [_folder(request.work, name, one) for one in range(n)] for name, n in counts.items()}
    networks = {
        name: [(folder / "network.onnx").read_bytes() for folder in each] for name, each in folders.items()
    }
    of_members = [networks[MODEL][start : start + fits] for start in range(0, members * fits, fits)]
    return Trained(
        networks={
            **networks,
            MODEL: [mean_of(fitted, each=False) for fitted in of_members],
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
