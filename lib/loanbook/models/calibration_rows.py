"""The rows that a calibration is judged by: which count, how much, and which come about together."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """Which rows come about together: those of one borrower, and those of one month.

    Args:
        borrower: a code for each row's borrower.
        month: 12 times its year and the months that have begun since, so that a month's number says its age.
    """

    borrower: Ints
    month: Ints

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Clusters":
        """Return those of rows with ``source``, ``borrower`` and ``as_of_date``.

        >>> of = {"source": ["a", "b"], "borrower": ["1", "1"], "as_of_date": ["2020-01-31", "2020-03-31"]}
        >>> found = Clusters.of(pd.DataFrame(of))
        >>> found.borrower.tolist(), found.month.tolist()
        ([0, 1], [24240, 24242])
        """
        borrower = frame.groupby(["source", "borrower"], sort=False).ngroup()
        day = pd.to_datetime(frame["as_of_date"])
        month = 12 * day.dt.year + day.dt.month - 1
        return cls(np.asarray(borrower, np.int64), np.asarray(month, np.int64))


@dataclass(frozen=True)
class CalibrationRows:
    """A model's raw PDs of rows that it was not fitted on, with what came about.

    Args:
        pd: raw PDs.
        label: 1 where the event came about, else 0.
        weight: of each row.
        clusters: its borrower and month.
    """

    pd: Floats
    label: Floats
    weight: Floats
    clusters: Clusters

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.label)

    @property
    def codes(self) -> tuple[Ints, ...]:
        """Return the clusters that variances are robust to: borrowers, and months where there are several."""
        borrower, month = self.clusters.borrower, self.clusters.month
        return (borrower,) if len(month) == 0 or month.min() == month.max() else (borrower, month)

    @property
    def defaulting_loans(self) -> int:
        """Return how many loans have a row that came about."""
        return len(np.unique(self.clusters.borrower[self.label > 0]))

    def where(self, kept: npt.NDArray[np.bool_]) -> "CalibrationRows":
        """Return the rows for which ``kept`` is true."""
        clusters = Clusters(self.clusters.borrower[kept], self.clusters.month[kept])
        return CalibrationRows(self.pd[kept], self.label[kept], self.weight[kept], clusters)

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
        age = self.clusters.month.max() - self.clusters.month
        kept = age >= 0 if window_months is None else age < window_months
        rows, age = self.where(kept), age[kept]
        weight = rows.weight if half_life_months is None else rows.weight * 0.5 ** (age / half_life_months)
        return replace(rows, weight=weight * (weight.sum() / np.sum(weight**2)))

    def counts(self) -> Mapping[str, Any]:
        """Return what they hold, by the names of a calibration's fields."""
        if not len(self):
            return {}
        defaults = int(np.sum(self.label > 0))
        return {
            "rows": len(self),
            "loans": len(np.unique(self.clusters.borrower)),
            "defaults": defaults,
            "defaulting_loans": self.defaulting_loans,
            "default_rate": float(np.average(self.label, weights=self.weight)),
            "first_month": month_end(int(self.clusters.month.min())),
            "last_month": month_end(int(self.clusters.month.max())),
        }


def month_end(month: int) -> str:
    """Return the last day of a month by its number.

    >>> month_end(12 * 2020 + 1)
    '2020-02-29'
    """
    year, before = divmod(month, 12)
    return f"{year:04d}-{before + 1:02d}-{calendar.monthrange(year, before + 1)[1]:02d}"
