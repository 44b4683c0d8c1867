"""The training of one network of a member, by one process alone or by all ranks together."""

import logging
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from loanbook.models.backbones import kept_submodels, with_submodels
from loanbook.models.pruning import Pruning, pruned
from loanbook.settings.train import is_bootstrapped
from loanbook.training.fit.alone import Alone
from loanbook.training.fit.request import TrainRequest, checkpoint_file
from loanbook.training.snapshot.fold import Member
from loanbook.training.snapshot.read import Snapshot

if TYPE_CHECKING:
    from loanbook.training.fit.feed import RankRows
    from loanbook.training.fit.horovod_run import Ranks
    from loanbook.training.fit.loop import Loop
    from loanbook.training.fit.teacher import Taught

logger = logging.getLogger(__name__)

# What teaches a member is the same for each of its networks, and takes longer than one to fit.
_TAUGHT: dict[tuple[str, Member], "Taught"] = {}

UNTRAINED: dict[str, Any] = {"epochs": 0, "best_epoch": 0, "tune_log_loss": None, "history": []}


def train_network(
    request: TrainRequest, snapshot: Snapshot, ranks: "Ranks | Alone", number: int
) -> tuple[int, str]:
    """Train and write a network of a member; return this rank's rows an epoch, and a digest.

    Args:
        request: what the processes were told.
        snapshot: the rows.
        ranks: this process among those that train the network.
        number: of the network: those of the first member come first.
    """
    from loanbook.training.fit.export import export_network
    from loanbook.training.fit.feed import feed_of
    from loanbook.training.fit.horovod_run import digest

    member = member_of(request, snapshot, number)
    before = _name(request, snapshot, number)
    network = network_of(request, snapshot, number)
    progress, rows, pruning = dict(UNTRAINED), 0, None
    if request.trainable:
        own = rows_of_rank(request, snapshot, ranks, number)
        loop, rows = loop_of(request, network, ranks, own, number), own.rows
        loop.name = before
        stopping = snapshot.role_frame(member.tune)
        defaulting = stopping.loc[stopping["label"] == 1, "borrower"].nunique()
        logger.info(
            "%s%d rows fit it%s, %d stop it, with %d borrowers whose event came about",
            loop.name, rows * ranks.size, ", their borrowers drawn with replacement" if own.bootstrap else "",
            len(stopping), defaulting,
        )  # fmt: skip
        tune = snapshot.rows_of(stopping.iloc[ranks.rank :: ranks.size])
        found = loop.run(feed_of(own, request.train.rows_in_memory_mib).epoch, tune, request.resume)
        progress = {
            "epochs": found.epoch,
            "best_epoch": found.best_epoch,
            "tune_log_loss": found.best_loss,
            "history": found.history,
        }
        if ranks.rank == 0:
            pruning = _pruning(request, network, snapshot, stopping)
    found_digest = digest(network.kept)
    if ranks.rank == 0:
        if pruning is not None:
            logger.info("%s%s", before, pruning)
        kept = _exported(request, snapshot, number, network, pruning)
        export_network(request, number, kept, {**progress, "pruning": pruning and asdict(pruning)})
    return rows, found_digest


def _pruning(
    request: TrainRequest, network: Any, snapshot: Snapshot, stopping: pd.DataFrame
) -> Pruning | None:
    """Return which submodels are kept, as all rows that stop the member have it; None: there is no choice."""
    keep = kept_submodels(request.model.backbone)
    if keep is None:
        return None
    from loanbook.models.submodels import submodel_losses

    tune = snapshot.rows_of(stopping)
    losses = submodel_losses(network, request.target, tune)
    return pruned(losses, tune.weight.astype(np.float64), keep)


def _exported(
    request: TrainRequest, snapshot: Snapshot, number: int, network: Any, pruning: Pruning | None
) -> Any:
    """Return a trained network as it is exported: computed in float32, of the submodels that are kept."""
    model = request.model.model_copy(update={"mixed_precision": False})
    if pruning is not None:
        pruned_to = with_submodels(model.backbone, len(pruning.kept))
        model = model.model_copy(update={"backbone": pruned_to})
    if model == request.model:
        return network
    exported = network_of(replace(request, model=model), snapshot, number)
    exported.take(network, () if pruning is None else pruning.kept)
    return exported


def member_of(request: TrainRequest, snapshot: Snapshot, number: int) -> Member:
    """Return the member that a network is of."""
    return snapshot.fold.members[number // request.train.fits]


def _name(request: TrainRequest, snapshot: Snapshot, number: int) -> str:
    """Return what the log says before a network's lines: nothing where there is no other."""
    member, fit = divmod(number, request.train.fits)
    of_member = f"member {member + 1}" if len(snapshot.fold.members) > 1 else ""
    of_fit = f"fit {fit + 1}" if request.train.fits > 1 else ""
    name = ", ".join(part for part in (of_member, of_fit) if part)
    return f"{name}: " if name else ""


def network_of(request: TrainRequest, snapshot: Snapshot, number: int) -> Any:
    """Return a network of a member, untrained."""
    import tensorflow as tf

    from loanbook.models.network import FLOAT32, MIXED, build_network

    tf.keras.backend.clear_session()  # names of layers do not depend on the networks before
    tf.keras.utils.set_random_seed(request.train.seed + number)
    return build_network(
        snapshot.spec,
        request.model.backbone,
        request.target,
        rate=request.rate,
        seed=request.train.seed + number,
        scaling=request.model.scaling,
        policy=MIXED if request.model.mixed_precision else FLOAT32,
    )


def rows_of_rank(
    request: TrainRequest, snapshot: Snapshot, ranks: "Ranks | Alone", number: int
) -> "RankRows":
    """Return the rows of a network's member that this rank trains on: as many as any other rank."""
    from loanbook.training.fit.feed import RankRows
    from loanbook.training.fit.reader import Columns

    member = member_of(request, snapshot, number)
    return RankRows(
        snapshot.training_files(member, ranks.size)[ranks.rank :: ranks.size],
        snapshot.folder,
        Columns.of(snapshot.spec, snapshot.targets),
        rows=snapshot.rows_fitted(member, ranks.size) // ranks.size,
        batch=request.model.batch_size,
        seed=request.train.seed + number,
        rank=ranks.rank,
        taught=ranks.share(_taught(request, snapshot, member) if ranks.rank == 0 else None),
        bootstrap=is_bootstrapped(request.train, len(snapshot.fold.members)),
    )


def _taught(request: TrainRequest, snapshot: Snapshot, member: Member) -> "Taught | None":
    """Return what stands in the place of labels where the model has a teacher."""
    if request.model.teacher is None:
        return None
    from loanbook.training.fit.teacher import taught_targets

    key = request.attempt, member
    if key not in _TAUGHT:
        _TAUGHT.clear()
        _TAUGHT[key] = taught_targets(
            snapshot, member, request.target, request.model.teacher, request.model.teacher_weight
        )
    return _TAUGHT[key]


def loop_of(
    request: TrainRequest, network: Any, ranks: "Ranks | Alone", own: "RankRows", number: int
) -> "Loop":
    """Return the loop that trains a network on this rank's rows."""
    from loanbook.training.fit.loop import Loop

    checkpoint = request.work / checkpoint_file(number)
    events = request.events / request.work.name / f"network_{number + 1}" if request.events else None
    return Loop(
        network,
        request.target,
        request.model,
        ranks,
        rows=own.rows,
        checkpoint=checkpoint,
        seed=own.seed,
        events=events,
    )
