"""Whether the level of PDs is wrong beyond chance: the mean PD over the observed default rate.

An out-of-time year differs from others though a model is right, and one year cannot say by how much. So a
level that is off on the test rows is wrong where time is no excuse:

| on the test rows the ratio is off (99 %) | and | level |
|---|---|---|
| no | | right |
| yes | they span three blocks of months, or are loans held out of the months of training | wrong |
| yes | the rows of development, out of sample too, are off to the same side (95 %)* | wrong |
| yes | they are further off than by chance and by what blocks of development differ (99 %) | wrong |
| yes | no row of development is out of sample | wrong |
| yes | none of these | right |

*Where development has no three blocks of months, all rows together must be off as well, the test's a block.

Simulated books hold 250 defaulting loans in a year of test. What moves a month lasts (0.9), with a standard
deviation of its log hazard of 0, 0.1 and 0.2. Flagged after four years of development: the truth in 0, 1 and
4 percent, where the test rows alone would flag 1, 9 and 27; its odds times 1.3 in 86, 74 and 42 percent.
After two years, with 290 in the test: 0, 2 and 3 percent, and 87, 64 and 34.

These odds are too high on development as well, which the third row finds: so are PDs that were not
calibrated, or on a window of its months alone. A calibration on all of them makes development right, and
what is then wrong in the test year is left to the fourth row: odds that are 1.3 times as high there alone are
flagged in 18, 11 and 8 percent after four years, twice as high in 86, 50 and 25.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from loanbook.models.clustered import Floats, Interval, quantile, wilson
from loanbook.models.together import MIN_BLOCKS, Together, student

STRINGENT, USUAL = 0.01, 0.05  # chances of a right level outside of an interval


@dataclass(frozen=True)
class Level:
    """Mean PD over observed default rate, 1 is right.

    Args:
        test: on the test rows, with the 99 percent interval.
        is_off: whether it is wrong beyond chance, and time is no excuse.
        because: why, or why not although the test rows are off, in words.
    """

    test: Interval
    is_off: bool
    because: str

    def __str__(self) -> str:
        """Return the ratio, its interval and the reason."""
        test = self.test
        return (
            f"mean PD {test.estimate:.2f} times the observed default rate on the test rows "
            f"({test.low:.2f} to {test.high:.2f} at 99 %), {self.because}"
        )


@dataclass(frozen=True)
class OutOfSample:
    """Rows that no predictor was fitted on: those of the test, then those of development.

    Args:
        label: 1 where the event came about.
        weight: of each row.
        is_test: which rows are of the test.
        together: which rows come about together.
        later: whether the test rows are later than those of development.
    """

    label: Floats
    weight: Floats
    is_test: npt.NDArray[np.bool_]
    together: Together
    later: bool = True

    @classmethod
    def of(
        cls, test: pd.DataFrame, development: pd.DataFrame, horizon_months: int | None, later: bool
    ) -> "OutOfSample":
        """Return those of rows with ``source, borrower, as_of_date, label`` and ``weight``."""
        names = ["source", "borrower", "as_of_date", "label", "weight"]
        frames = [frame[names] for frame in (test, development) if len(frame)] or [test[names]]
        rows = pd.concat(frames, ignore_index=True)
        return cls(
            rows["label"].to_numpy(np.float64),
            rows["weight"].to_numpy(np.float64),
            np.arange(len(rows)) < len(test),
            Together.of(rows, horizon_months),
            later,
        )

    def where(self, kept: npt.NDArray[np.bool_]) -> "OutOfSample":
        """Return some of the rows."""
        together = self.together.where(kept)
        return OutOfSample(self.label[kept], self.weight[kept], self.is_test[kept], together, self.later)

    def level(self, pds: Floats) -> Level | None:
        """Return the level of PDs of these rows; None where none or all of the test rows defaulted."""
        test = self.where(self.is_test)
        ratio = test.ratio(pds[self.is_test], STRINGENT)
        if ratio is None:
            return None
        if ratio.low <= 1 <= ratio.high:
            return Level(ratio, False, f"which 1 is within, {test.together.said}")
        if test.together.over_time or not self.later or bool(self.is_test.all()):
            return Level(ratio, True, test.together.said)
        return self._of_a_year(pds, ratio)

    def ratio(self, pds: Floats, chance: float) -> Interval | None:
        """Return mean PD over observed default rate, with the interval that misses it with a chance.

        Wilson's interval of the observed rate, at the effective number of rows that the variance of label
        less PD gives: what the PDs tell of the rows is no chance.
        """
        rate, mean = (float(np.average(values, weights=self.weight)) for values in (self.label, pds))
        if not 0 < rate < 1:
            return None
        influence = self.weight * (self.label - pds - (rate - mean)) / np.sum(self.weight)
        variance = self.together.variance(influence, chance)
        rows = rate * (1 - rate) / variance if variance > 0 else float("inf")
        observed = wilson(rate, rows, quantile(chance))
        return Interval(mean / rate, mean / observed.high, mean / observed.low)

    def _of_a_year(self, pds: Floats, ratio: Interval) -> Level:
        """Return the level where the test rows are off and tell nothing of how years differ."""
        own = self.is_test
        development = self.where(~own)
        before = development.ratio(pds[~own], USUAL)
        # Blocks too few to tell years apart are so of development alone: the test's is one more.
        told = [before] if development.together.over_time else [before, self.ratio(pds, USUAL)]
        if before and all(one and (one.low > 1 if ratio.low > 1 else one.high < 1) for one in told):
            said = f"and {before.estimate:.2f} times on those of development"
            at = f"({before.low:.2f} to {before.high:.2f} at 95 %, {development.together.said})"
            return Level(ratio, True, f"{said} {at}")
        blocks = development.by_block(pds[~own])
        apart = self.where(own).excess(pds[own])
        half = abs(1 / (ratio.high if ratio.high < 1 else ratio.low) - 1 - apart)
        if len(blocks) >= MIN_BLOCKS and abs(apart) > np.hypot(half, _apart_by(blocks)):
            said = f"further off than by what {len(blocks)} blocks of development months differ"
            return Level(ratio, True, said)
        return Level(ratio, False, "by which a stretch of time may differ from those of development")

    def excess(self, pds: Floats) -> float:
        """Return by which share of what was expected more came about."""
        return float(self.weight @ self.label / (self.weight @ pds)) - 1

    def by_block(self, pds: Floats) -> list[float]:
        """Return ``excess`` of each block of months."""
        blocks = self.together.blocks
        return [self.where(blocks == one).excess(pds[blocks == one]) for one in np.unique(blocks)]


def levels_of(
    frames: Sequence[pd.DataFrame],
    pds: Mapping[str, Sequence[Floats]],
    horizon_months: int | None,
    later: bool,
    min_defaults: int,
    rank_only: bool,
    central_tendency: float | None = None,
) -> dict[str, Level]:
    """Return the level of each predictor on the test rows; empty where none is claimed.

    Args:
        frames: the rows of the test, then those of development.
        pds: calibrated, of both by predictor.
        horizon_months: of the label; None: up to maturity.
        later: whether the test rows are later than those of development.
        min_defaults: defaulting borrowers of the test below which nothing is claimed.
        rank_only: whether the PDs say no level.
        central_tendency: mean that the PDs were given because somebody asked for it; None: no such mean.
    """
    if rank_only or central_tendency is not None or not len(frames[0]):
        return {}
    rows = OutOfSample.of(frames[0], frames[1], horizon_months, later)
    if len(np.unique(rows.together.borrower[rows.is_test & (rows.label > 0)])) < min_defaults:
        return {}
    found = {name: rows.level(np.concatenate(both)) for name, both in pds.items()}
    return {name: level for name, level in found.items() if level is not None}


def _apart_by(blocks: Sequence[float]) -> float:
    """Return how far from 0 a block like the others is, but for a chance of 1 percent: by Student's t."""
    return student(len(blocks) - 1, STRINGENT) * float(np.std(blocks, ddof=1))
