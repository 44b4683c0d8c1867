"""Whether architectures can be judged on the same rows, which is known before any of them is trained."""

from collections.abc import Mapping

from loanbook.errors import InputError
from loanbook.models.head import Head


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
