"""What a training process leaves: its part of the baselines and, on rank 0, the networks."""

import time
from itertools import product
from typing import Any

from loanbook.models.artefact.artefact import MODEL
from loanbook.models.baselines import Fitted, baseline
from loanbook.settings.choice import Choice
from loanbook.training.fit.request import TrainRequest
from loanbook.training.fit.tasks import Tasks
from loanbook.training.fit.trained import write_member
from loanbook.training.snapshot.fold import Member
from loanbook.training.snapshot.read import Snapshot

AT_ONCE = 2  # processes that fit baselines: each holds the training rows of one as a dense matrix


def export_network(request: TrainRequest, number: int, network: Any, progress: dict[str, Any]) -> None:
    """Write a network of the model as training left it."""
    from loanbook.models.artefact.export import onnx_bytes, weight_bytes

    facts = {**progress, "parameters": network.parameters}
    content = onnx_bytes(network.probabilities)
    write_member(request.work, MODEL, number, content, facts, weight_bytes(network))


def fit_baselines(request: TrainRequest, snapshot: Snapshot, ranks: Any, tasks: Tasks) -> dict[str, float]:
    """Fit and write this process's share of the baselines' members; return the seconds of each baseline.

    Args:
        request: what the processes were told.
        snapshot: the rows.
        ranks: this process among all.
        tasks: shared out among them.
    """
    members = list(enumerate(snapshot.fold.members))
    all_fits = list(product(members, request.train.baselines))
    seconds = dict.fromkeys((choice.name for choice in request.train.baselines), 0.0)
    for (number, member), choice in tasks.taken("baseline", all_fits) if ranks.rank < AT_ONCE else ():
        start = time.perf_counter()
        fitted = _fitted(choice, request, snapshot, member)
        write_member(request.work, choice.name, number, fitted.network, fitted.facts)
        seconds[choice.name] += time.perf_counter() - start
    return seconds


def _fitted(choice: Choice, request: TrainRequest, snapshot: Snapshot, member: Member) -> Fitted:
    if request.trainable:
        module, settings = baseline(choice)
        return module.fit(snapshot.evidence(member), request.target.beside, settings)
    from loanbook.models.artefact.export import onnx_bytes
    from loanbook.models.network import constant

    untrained = constant(snapshot.spec, request.target.beside, request.rate)
    return Fitted(onnx_bytes(untrained.probabilities))
