"""What a model learns, and which rows judge it where there is no later time to do so."""

import logging
from collections.abc import Sequence
from datetime import date

from loanbook.book.tape_kind import TapeKind
from loanbook.errors import InputError
from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.splits import Fold, plan_folds

logger = logging.getLogger(__name__)

BY_LOANS = "held_out_loans"


def target_head(name: str | None, tape: TapeKind) -> Head:
    """Return the head of that name; without one that of the tape's own outcome, where it declares one.

    Raises:
        InputError: no such head, or the tape declares no outcome of its own.
    """
    chosen = head(name or ("default_12m" if tape.outcome is None else "tape_outcome"))
    if tape.outcome is None:
        if chosen.is_of_tape:
            raise InputError(
                required=f"a tape that declares an outcome of its own, for the head {chosen.name}",
                found=f"none declared by the mapping of {tape.source}",
                do="add 'outcome' to the mapping and ingest again, or take another head",
            )
        return chosen
    learns = "the model learns it" if chosen.is_of_tape else f"but the model is to learn {chosen.event}"
    logger.info("the tape has its own outcome: %s; %s (head %s)", tape.outcome, learns, chosen.name)
    return chosen.of_tape(tape.outcome)


def folds_for(target: Head, months: Sequence[date], settings: TrainSettings) -> list[Fold]:
    """Return the folds: of a tape's own outcome that leaves no later time to hold out, one by loans.

    Args:
        target: what is learnt.
        months: those that have labelled rows.
        settings: how many months, or which share of the loans, are held out.
    """
    if target.horizon_months is None:
        return [_by_loans(months, settings, f"the tape has its own outcome ({target.event}): no later time")]
    folds = plan_folds(months, target.horizon_months, settings)
    if folds[0].test_from is not None or not target.is_of_tape:
        return folds
    few = "one month has" if len(months) == 1 else f"{len(months)} months have"
    reason = f"the tape has its own outcome ({target.event}): {few} labelled rows, no later time"
    return [_by_loans(months, settings, reason)]


def _by_loans(months: Sequence[date], settings: TrainSettings, reason: str) -> Fold:
    rest = 1 - settings.test_share
    shares = {role: share * rest for role, share in settings.shares.by_role().items()}
    return Fold(
        name=BY_LOANS,
        development_from=min(months, default=None),
        development_to=max(months, default=None),
        test_from=None,
        test_to=None,
        shares={**shares, "test": settings.test_share},
        held_out="loans",
        reasons=(f"{reason} to hold out, so {settings.test_share:.0%} of the loans are",),
    )
