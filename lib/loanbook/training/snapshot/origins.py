"""Rolling origins: which months develop, validate and test, each apart from the next by the horizon."""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from loanbook.book.months import month_number
from loanbook.errors import InputError
from loanbook.models.head import Head
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.fold import BY_LOANS, NO_VALIDATION, TEST, Fold, shares_of

LEAST_HORIZONS = 3  # that development spans at least where a validation period is set aside


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


def plan_folds(months: Sequence[date], horizon_months: int, settings: TrainSettings) -> list[Fold]:
    """Return the rolling origins, the most recent first; older ones as far as their months suffice.

    Test months are the cohorts of the last ``settings.test_months`` calendar months that have matured, 12 of
    a monthly tape and 4 of a quarterly one; development months end at least the horizon before them. Where a
    short history cannot give them, the test window shrinks until development has as many cohorts, and is
    empty if even one is too many: then all months are development. The test windows of an older origin end
    where those of the next begin.

    Args:
        months: the matured cohorts.
        horizon_months: of the label.
        settings: how many months.
    """
    ordered = sorted(set(months))
    folds: list[Fold] = []
    while True:
        window = _windows(ordered, horizon_months, settings)
        if window is None or (folds and window.months < settings.test_months):
            return folds or [_fold(0, _Windows(ordered, [], [], 0), settings)]
        folds.append(_fold(len(folds), window, settings))
        ordered = ordered[: -len(window.test)]


def origin_of(folds: Sequence[Fold], number: int) -> Fold:
    """Return one of the rolling origins, 0 the most recent.

    Raises:
        InputError: the months have not as many.
    """
    if number < len(folds):
        return folds[number]
    raise InputError(
        required=f"a rolling origin of number {number}, counted from 0, the most recent",
        found=f"{len(folds)} in the matured months",
        do="ask for fewer (train.folds), or ingest a longer history",
    )


class _Windows(NamedTuple):
    """Cohorts of development, validation and test, and the calendar months that the test spans."""

    development: list[date]
    validation: list[date]
    test: list[date]
    months: int


def _windows(cohorts: list[date], horizon: int, settings: TrainSettings) -> _Windows | None:
    for months in range(settings.test_months, 0, -1):
        development, test = _apart(cohorts, months, horizon)
        if len(development) >= max(len(test), 1):
            validated = _validation(development, horizon, settings.validation_months)
            return _Windows(*validated, test, months)
    return None


def _apart(cohorts: list[date], months: int, horizon: int) -> tuple[list[date], list[date]]:
    """Return the cohorts of the last calendar months, after those that matured when these begin."""
    last = month_number(cohorts[-1]) if cohorts else 0
    later = [cohort for cohort in cohorts if month_number(cohort) > last - months]
    until = month_number(later[0]) - horizon if later else last
    return [cohort for cohort in cohorts if month_number(cohort) <= until], later


def _validation(development: list[date], horizon: int, months: int) -> tuple[list[date], list[date]]:
    """Return development without and with a validation period, which is empty where it is not affordable."""
    if not months:
        return development, []
    earlier, validation = _apart(development, months, horizon)
    span = month_number(earlier[-1]) - month_number(earlier[0]) + 1 if earlier else 0
    return (earlier, validation) if span >= LEAST_HORIZONS * horizon else (development, [])


def _fold(number: int, window: _Windows, settings: TrainSettings) -> Fold:
    def ends(name: str, months: list[date]) -> dict[str, Any]:
        return {f"{name}_from": min(months, default=None), f"{name}_to": max(months, default=None)}

    return Fold(
        name=f"fold{number}",
        **ends("development", window.development),
        **ends("validation", window.validation),
        **ends("test", window.test),
        shares=shares_of(settings),
        reasons=tuple(_reasons(window, settings)),
    )


def _reasons(window: _Windows, settings: TrainSettings) -> list[str]:
    found = []
    if not window.development:
        found.append("no matured cohort")
    elif not window.test:
        found.append("too few matured cohorts for a test window")
    elif window.months < settings.test_months:
        found.append(f"{window.months} test months instead of {settings.test_months}")
    if settings.validation_months and not window.validation:
        found.append(f"{NO_VALIDATION}: it would leave less than three horizons of development months")
    return found


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
