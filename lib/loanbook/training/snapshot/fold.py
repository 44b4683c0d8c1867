"""A fold: the months of development, validation and test, and which loans fit, stop, calibrate and judge."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from loanbook.settings.train import TrainSettings

BY_LOANS = "held_out_loans"  # name of a fold that holds out loans
TEST = "test"
VALIDATION = "validation"
NO_VALIDATION = "no validation period"  # begins the reason why one that is asked for is refused
SINGLE = ("train", "tune", "calibrate", "calibrate_check")  # roles of the loans where one network is fitted
OUT_OF_FOLD = "out_of_fold"  # all development loans, each predicted by the member that was not fitted on it


class Member(BaseModel):
    """The roles that one of a model's networks is fitted on, and the one that stops it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: tuple[str, ...]
    tune: str


class Fold(BaseModel):
    """Development months, test months at least the horizon later, and the shares of development loans.

    Every date is a month end; a window of None holds no month. A validation period lies between both, the
    horizon from either. Where loans are held out instead of months, ``test`` has a share of the development
    loans too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    development_from: date | None
    development_to: date | None
    validation_from: date | None = None
    validation_to: date | None = None
    test_from: date | None
    test_to: date | None
    shares: dict[str, float]
    held_out: Literal["months", "loans"] = "months"
    reasons: tuple[str, ...] = ()

    @property
    def roles(self) -> tuple[str, ...]:
        """Return every role of the fold; one that no loan has, as too few default, is named all the same."""
        of_loans = [role for role in self.shares if role != TEST]
        between = [] if self.validation_from is None else [VALIDATION]
        return (*(of_loans if self.is_crossed else SINGLE), *between, TEST)

    @property
    def is_crossed(self) -> bool:
        """Return whether development is in parts, each held out from one member."""
        return "train" not in self.shares

    @property
    def members(self) -> list[Member]:
        """Return the members: one for each part, fitted on the others; or the one of a single fit."""
        if not self.is_crossed:
            return [Member(train=("train",), tune="tune")]
        parts = [role for role in self.shares if role != TEST]
        return [Member(train=tuple(other for other in parts if other != part), tune=part) for part in parts]

    @property
    def validation_refused(self) -> str | None:
        """Return why a validation period that is asked for is not there; else None."""
        return next((reason for reason in self.reasons if reason.startswith(NO_VALIDATION)), None)

    @property
    def calibrated_on(self) -> str:
        """Return the sample that the calibration is fitted on."""
        return OUT_OF_FOLD if self.is_crossed else "calibrate"

    @property
    def checked_on(self) -> str:
        """Return the sample before the test that models are compared on: rows that none was fitted on.

        They are those of the validation period, if there is one; else loans of development. Cross-fitted
        these are all of them, each predicted by the member that never saw it.
        """
        if self.validation_from is not None:
            return VALIDATION
        return OUT_OF_FOLD if self.is_crossed else "calibrate_check"

    @property
    def samples(self) -> dict[str, tuple[str, ...]]:
        """Return the roles of each sample: rows that fit, that calibrate, that check and that test."""
        named = {role for member in self.members for role in member.train}
        fitted = [role for role in self.shares if role in named]
        tuned = {} if self.is_crossed else {"tune": ("tune",)}
        parts = {name: (name,) for name in SINGLE[2:]}
        judged = {OUT_OF_FOLD: tuple(fitted)} if self.is_crossed else parts
        between = {} if self.validation_from is None else {VALIDATION: (VALIDATION,)}
        return {"train": tuple(fitted), **tuned, **judged, **between, TEST: (TEST,)}


def shares_of(settings: TrainSettings) -> dict[str, float]:
    """Return the share of the development loans that each role gets: equal parts, or those of a single fit.

    >>> shares_of(TrainSettings(members=2))
    {'part_0': 0.5, 'part_1': 0.5}
    """
    if settings.members == 1:
        return settings.shares.by_role()
    return {f"part_{number}": 1 / settings.members for number in range(settings.members)}
