"""Which loan fits, stops, judges or tests a fold's models, and how few defaults change it."""

from collections.abc import Sequence
from datetime import date
from itertools import accumulate

from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.book.hash_draw import STEPS, draw
from loanbook.book.months import last_day, month_number
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.fold import TEST, VALIDATION, Fold

DEFAULTS_OF_PART = 6  # defaults, on average, below which a part would soon hold none


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


def known_months(fold: Fold, months: Sequence[date], horizon_months: int | None) -> dict[str, str | None]:
    """Return the last month of which anything is known for rows of development, and for later ones.

    Of development it is the one in which its last labels matured, so that nothing of the test months is
    known; of the rows that are judged it is the tape's last complete month.

    Args:
        fold: the months of development.
        months: those that have labelled rows.
        horizon_months: of the label; None: nothing is known beyond the months themselves.
    """
    ends = {"development": fold.development_to, "later": max(months, default=None)}
    return {
        name: None if end is None else str(_after(end, horizon_months or 0)) for name, end in ends.items()
    }


def _after(day: date, months: int) -> date:
    return last_day(month_number(day) + months)


def known_until(fold: Fold, months: Sequence[date], horizon_months: int | None) -> Column:
    """Return the month, a date, of ``known_months`` for each row."""
    known = known_months(fold, months, horizon_months)
    ends = {name: F.lit(end).cast("date") for name, end in known.items()}
    return F.when(in_development(fold), ends["development"]).otherwise(ends["later"])


def _within(first: date | None, last: date | None) -> Column:
    return (
        F.lit(False)
        if first is None or last is None
        else F.col("as_of_date").between(F.lit(first), F.lit(last))
    )


def role_column(fold: Fold, seed: int) -> Column:
    """Return the role of a row, null in a gap before other months; in development it follows the borrower."""
    position = draw(seed, "source", "borrower")
    role = F.lit(None).cast("string")
    cuts = accumulate(fold.shares.values())
    for name, cut in reversed(list(zip(fold.shares, cuts, strict=True))):
        role = F.when(position < F.lit(round(cut * STEPS)), F.lit(name)).otherwise(role)
    return (
        F.when(_within(fold.test_from, fold.test_to), F.lit(TEST))
        .when(_within(fold.validation_from, fold.validation_to), F.lit(VALIDATION))
        .when(in_development(fold), role)
    )
