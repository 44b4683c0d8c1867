"""Whether architectures can be judged on the same rows, which is known before any of them is trained."""

from collections.abc import Mapping

from loanbook.errors import InputError
from loanbook.models.head import Head
from loanbook.settings.train import TrainSettings


def require_same_event(targets: Mapping[str, Head]) -> None:
    """Refuse architectures whose PDs are of different events, as no row says which is nearer to the truth.

    Args:
        targets: the head of each architecture, as of the tape.

    Raises:
        InputError: names the event of each.
    """
    if len({(target.label, target.horizon_months) for target in targets.values()}) > 1:
        raise InputError(
            required="architectures that predict the same event within the same time",
            found="; ".join(f"{name}: {target.event}" for name, target in targets.items()),
            do="compare those of one event; train and evaluate the others by themselves",
        )


def require_same_thinning(targets: Mapping[str, Head], settings: TrainSettings) -> None:
    """Refuse architectures whose training rows are thinned differently and judge them out of fold too.

    A single network (``train.members: 1``) is judged on rows that are not thinned.

    Args:
        targets: the head of each architecture.
        settings: the share that is kept, and how many members there are.

    Raises:
        InputError: names the head of each.
    """
    rules = {(type(target).always_kept, target.thinned_by) for target in targets.values()}
    if settings.negatives_kept < 1 and settings.members > 1 and len(rules) > 1:
        raise InputError(
            required=f"heads that keep the same rows with train.negatives_kept {settings.negatives_kept:g}",
            found="; ".join(f"{name}: {target.name}" for name, target in targets.items()),
            do="set train.negatives_kept to 1, or compare architectures of one head",
        )
