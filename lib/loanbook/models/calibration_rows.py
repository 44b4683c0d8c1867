"""The rows that a calibration is judged by: which count, how much, and which come about together."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from loanbook.models.together import Together

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CalibrationRows:
    """A model's raw PDs of rows that it was not fitted on, with what came about.

    Args:
        pd: raw PDs.
        label: 1 where the event came about, else 0.
        weight: of each row.
        together: which rows come about together.
    """

    pd: Floats
    label: Floats
    weight: Floats
    together: Together

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.label)

    @property
    def clusters(self) -> Together:
        """Return what variances are robust to: borrowers, and blocks of months where there are enough.

        Of fewer blocks, as of a label up to maturity, it is single months: they are no clusters of their own,
        and say too little of what lasts, but more than none.
        """
        return self.together if self.together.over_time else replace(self.together, horizon_months=1)

    @property
    def defaulting_loans(self) -> int:
        """Return how many borrowers have a row that came about: each loan is one, unless told otherwise."""
        return len(np.unique(self.together.borrower[self.label > 0]))

    def where(self, kept: npt.NDArray[np.bool_]) -> "CalibrationRows":
        """Return the rows for which ``kept`` is true."""
        together = self.together.where(kept)
        return CalibrationRows(self.pd[kept], self.label[kept], self.weight[kept], together)

    def recent(self, window_months: int | None, half_life_months: float | None) -> "CalibrationRows":
        """Return the rows of the last months, the older ones of which weigh less.

        Weights then sum to the effective number of rows, (sum w)^2 / sum w^2 (Kish 1965), so that a
        likelihood of them is worth what they tell.

        Args:
            window_months: up to the last month of the rows; None: all.
            half_life_months: after so many a row weighs half; None: all alike.
        """
        if not len(self):
            return self
        kept = self.recent_places(window_months)
        rows, age = self.where(kept), (self.together.month.max() - self.together.month)[kept]
        weight = rows.weight if half_life_months is None else rows.weight * 0.5 ** (age / half_life_months)
        return replace(rows, weight=weight * (weight.sum() / np.sum(weight**2)))

    def recent_places(self, window_months: int | None) -> npt.NDArray[np.bool_]:
        """Return which rows are of the last months; arguments as of ``recent``."""
        if window_months is None or not len(self):
            return np.ones(len(self), bool)
        return np.asarray(self.together.month.max() - self.together.month < window_months)

    def counts(self) -> Mapping[str, Any]:
        """Return what they hold, by the names of a calibration's fields."""
        if not len(self):
            return {}
        defaults = int(np.sum(self.label > 0))
        return {
            "rows": len(self),
            "loans": len(np.unique(self.together.borrower)),
            "defaults": defaults,
            "defaulting_loans": self.defaulting_loans,
            "default_rate": float(np.average(self.label, weights=self.weight)),
            "first_month": month_end(int(self.together.month.min())),
            "last_month": month_end(int(self.together.month.max())),
        }


def month_end(month: int) -> str:
    """Return the last day of a month by its number.

    >>> month_end(12 * 2020 + 1)
    '2020-02-29'
    """
    year, before = divmod(month, 12)
    return f"{year:04d}-{before + 1:02d}-{calendar.monthrange(year, before + 1)[1]:02d}"
