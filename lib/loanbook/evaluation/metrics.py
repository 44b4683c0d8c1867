"""Metrics of probabilities against labels: NumPy, weights everywhere, None where undefined."""

from dataclasses import dataclass

import numpy as np

from loanbook.models.clustered import NORMAL_95, Floats, Interval
from loanbook.models.together import Together


def brier(label: Floats, pd: Floats, weight: Floats) -> float:
    """Return the weighted mean of (p - y)^2 (Brier 1950).

    >>> brier(np.array([1.0, 0.0]), np.array([0.5, 0.5]), np.ones(2))
    0.25
    """
    return float(np.average((pd - label) ** 2, weights=weight))


@dataclass(frozen=True)
class Ranking:
    """The ROC curve of a score, from (0, 0) to (1, 1): shares of good and of bad rows at or above each PD."""

    false_positive_rate: Floats
    true_positive_rate: Floats

    @property
    def auc(self) -> float:
        """Return P(PD of a bad > PD of a good) + P(equal) / 2: Mann-Whitney (Hanley, McNeil 1982)."""
        return float(np.trapz(self.true_positive_rate, self.false_positive_rate))

    @property
    def gini(self) -> float:
        """Return 2 AUC - 1, the accuracy ratio."""
        return 2 * self.auc - 1

    @property
    def ks(self) -> float:
        """Return the largest distance between the two cumulative shares (Kolmogorov-Smirnov)."""
        return float(np.max(self.true_positive_rate - self.false_positive_rate))


def ranking(label: Floats, pd: Floats, weight: Floats) -> Ranking | None:
    """Return the ROC curve, or None where one of the classes is absent."""
    if len(pd) == 0:
        return None
    order = np.argsort(-pd, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(pd[order])), len(pd) - 1)
    bad = np.cumsum((weight * label)[order])[last_of_tie]
    good = np.cumsum((weight * (1 - label))[order])[last_of_tie]
    if bad[-1] <= 0 or good[-1] <= 0:
        return None
    return Ranking(np.append(0.0, good / good[-1]), np.append(0.0, bad / bad[-1]))


def at_threshold(label: Floats, pd: Floats, weight: Floats, threshold: float) -> dict[str, float | None]:
    """Return accuracy, precision, recall and F1 of the prediction ``pd >= threshold``.

    Precision is None where no row is predicted to default, recall where none does; F1 is
    2 TP / (2 TP + FP + FN).
    """
    predicted, bad = pd >= threshold, label > 0
    hit = float(np.sum(weight * (predicted & bad)))
    false_alarm = float(np.sum(weight * (predicted & ~bad)))
    missed = float(np.sum(weight * (~predicted & bad)))
    total = float(np.sum(weight))
    return {
        "accuracy": (total - false_alarm - missed) / total,
        "precision": _ratio(hit, hit + false_alarm),
        "recall": _ratio(hit, hit + missed),
        "f1": _ratio(2 * hit, 2 * hit + false_alarm + missed),
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None


def clustered_rate(label: Floats, weight: Floats, together: Together) -> Interval:
    """Return the weighted default rate with Wilson's (1927) interval at the effective number of rows.

    That number is p (1 - p) over the variance of rows that come about together (Korn, Graubard 1998), the
    number of borrowers where none or all defaulted: no default among few does not make their rate certain.
    """
    rate = float(np.average(label, weights=weight))
    variance = together.variance(weight * (label - rate) / np.sum(weight))
    n = rate * (1 - rate) / variance if variance > 0 else float(len(np.unique(together.borrower)))
    z = NORMAL_95**2 / n
    centre, half = (rate + z / 2) / (1 + z), np.sqrt(z * rate * (1 - rate) + z**2 / 4) / (1 + z)
    return Interval(rate, max(0.0, float(centre - half)), min(1.0, float(centre + half)))
