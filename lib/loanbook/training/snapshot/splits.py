"""Which month and loan trains, stops, judges or tests: rolling origins over matured cohorts."""

from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from typing import NamedTuple

from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.book.hash_draw import STEPS, draw
from loanbook.book.months import month_number
from loanbook.models.head import Head
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.fold import BY_LOANS, TEST, Fold, shares_of

DEFAULTS_OF_PART = 6  # defaults, on average, below which a part would soon hold none


def plan_folds(months: Sequence[date], horizon_months: int, settings: TrainSettings) -> list[Fold]:
    """Return the rolling origins, the most recent first; older ones only where their months suffice.

    Test months are the cohorts of the last ``settings.test_months`` calendar months that have matured, 12 of
    a monthly tape and 4 of a quarterly one; development months end at least the horizon before them. Where a
    short history cannot give them, the test window shrinks until development has as many cohorts, and is
    empty if even one is too many: then all months are development.

    Args:
        months: the matured cohorts.
        horizon_months: of the label.
        settings: how many months and folds.
    """
    ordered = sorted(set(months))
    shares = shares_of(settings)
    folds: list[Fold] = []
    while len(folds) < settings.folds:
        name = f"fold{len(folds)}"
        window = _windows(ordered, horizon_months, settings.test_months)
        if window is None or (folds and window.months < settings.test_months):
            return folds or [_without_test(name, ordered, shares)]
        development, test = window.development, window.test
        folds.append(
            Fold(
                name=name,
                development_from=development[0],
                development_to=development[-1],
                test_from=test[0],
                test_to=test[-1],
                shares=shares,
                reasons=_shortened(window.months, settings.test_months),
            )
        )
        ordered = ordered[: -len(test)]
    return folds


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
    shares = {role: share * rest for role, share in shares_of(settings).items()}
    return Fold(
        name=BY_LOANS,
        development_from=min(months, default=None),
        development_to=max(months, default=None),
        test_from=None,
        test_to=None,
        shares={**shares, TEST: settings.test_share},
        held_out="loans",
        reasons=(f"{reason} to hold out, so {settings.test_share:.0%} of the loans are",),
    )


class _Windows(NamedTuple):
    """Cohorts of development and test, and the calendar months that the test spans."""

    development: list[date]
    test: list[date]
    months: int


def _windows(cohorts: list[date], horizon: int, wanted: int) -> _Windows | None:
    last = month_number(cohorts[-1]) if cohorts else 0
    for months in range(wanted, 0, -1):
        test = [cohort for cohort in cohorts if month_number(cohort) > last - months]
        until = month_number(test[0]) - horizon if test else last
        development = [cohort for cohort in cohorts if month_number(cohort) <= until]
        if len(development) >= max(len(test), 1):
            return _Windows(development, test, months)
    return None


def _without_test(name: str, months: list[date], shares: dict[str, float]) -> Fold:
    first, last = (months[0], months[-1]) if months else (None, None)
    reason = "too few matured cohorts for a test window" if months else "no matured cohort"
    return Fold(
        name=name,
        development_from=first,
        development_to=last,
        test_from=None,
        test_to=None,
        shares=shares,
        reasons=(reason,),
    )


def _shortened(found: int, wanted: int) -> tuple[str, ...]:
    return () if found == wanted else (f"{found} test months instead of {wanted}",)


def with_enough_defaults(fold: Fold, defaulting: int, others: int, settings: TrainSettings) -> Fold:
    """Return the fold as few defaults allow: not crossed, and without loans set aside for calibration.

    Parts of which some hold hardly a default would stop their members by chance; and a calibration needs as
    many defaults as a sample that is reported.

    Args:
        fold: the fold.
        defaulting: borrowers with a default in the development months.
        others: borrowers without one.
        settings: the shares and the least number of defaults.
    """
    least = max(settings.min_defaults, DEFAULTS_OF_PART * settings.members)
    if fold.is_crossed and min(defaulting, others) >= least:
        return fold
    who = "borrowers" if settings.borrower else "loans"
    if fold.is_crossed:
        few = f"{defaulting} defaulting" if defaulting < least else f"{others} other"
        reason = f"{few} {who} in development: too few for {settings.members} members, so there is one"
        held_out = {TEST: fold.shares[TEST]} if TEST in fold.shares else {}
        rest = 1 - sum(held_out.values())
        shares = {role: share * rest for role, share in settings.shares.by_role().items()}
        fold = _with(fold, {**shares, **held_out}, reason)
    if defaulting * fold.shares["calibrate"] >= settings.min_defaults:
        return fold
    kept = {role: share for role, share in fold.shares.items() if role in ("tune", TEST)}
    reason = f"{defaulting} defaulting {who} in development: too few to set some aside for calibration"
    return _with(fold, {"train": 1 - sum(kept.values()), **kept}, reason)


def _with(fold: Fold, shares: dict[str, float], reason: str) -> Fold:
    return fold.model_copy(update={"shares": shares, "reasons": (*fold.reasons, reason)})


def in_development(fold: Fold) -> Column:
    """Return whether a row's month is one of development."""
    return _within(fold.development_from, fold.development_to)


def _within(first: date | None, last: date | None) -> Column:
    return (
        F.lit(False)
        if first is None or last is None
        else F.col("as_of_date").between(F.lit(first), F.lit(last))
    )


def role_column(fold: Fold, seed: int) -> Column:
    """Return the role of a row, null in the gap before the test; in development it follows the borrower."""
    position = draw(seed, "source", "borrower")
    role = F.lit(None).cast("string")
    cuts = accumulate(fold.shares.values())
    for name, cut in reversed(list(zip(fold.shares, cuts, strict=True))):
        role = F.when(position < F.lit(round(cut * STEPS)), F.lit(name)).otherwise(role)
    return F.when(_within(fold.test_from, fold.test_to), F.lit(TEST)).when(in_development(fold), role)
