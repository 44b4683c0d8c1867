"""Metrics of probabilities against labels: NumPy, weights everywhere, None where undefined."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loanbook.models.clustered import NORMAL_95, Floats, Interval, wilson
from loanbook.models.together import Ints, Together


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


def auc(label: Floats, pd: Floats, weight: Floats, member: Ints, together: Together) -> Interval | None:
    """Return the AUC with its interval, or None where one of the classes is absent.

    Out of fold each row is predicted by one member, and members differ in level by how many of their own
    training loans defaulted: the more did, the fewer are among the loans held out. Over all pairs even the
    constant would be below 0.5. So pairs are of rows that one member predicted: the mean of the members'
    AUCs, weighted by their pairs.

    The interval is robust to rows that come about together: each row adds how far its share of pairs in the
    right order is from the mean (DeLong 1988; Obuchowski 1997).

    Args:
        label: 1 default, 0 not.
        pd: probability.
        weight: of each row.
        member: which predicted each row.
        together: which rows come about together.
    """
    pairs, estimates, influence = [], [], np.zeros(len(pd))
    for rows, curve, both in _by_member(label, pd, weight, member):
        bad = label[rows] > 0
        right = _in_order(pd[rows], weight[rows], bad)
        pairs.append(both)
        estimates.append(curve.auc)
        share = np.where(bad, weight[rows][~bad].sum(), weight[rows][bad].sum())
        influence[rows] = weight[rows] * share * (right - curve.auc)
    if not pairs:
        return None
    estimate = float(np.average(estimates, weights=pairs))
    half = NORMAL_95 * float(np.sqrt(together.variance(influence / sum(pairs))))
    return Interval(estimate, max(0.0, estimate - half), min(1.0, estimate + half))


def ks(label: Floats, pd: Floats, weight: Floats, member: Ints) -> float | None:
    """Return the mean of the members' Kolmogorov-Smirnov distances, weighted by their pairs as in ``auc``.

    None where one of the classes is absent.
    """
    found = [(curve.ks, pairs) for _, curve, pairs in _by_member(label, pd, weight, member)]
    pairs = sum(pairs for _, pairs in found)
    return sum(distance * own for distance, own in found) / pairs if found else None


def _by_member(
    label: Floats, pd: Floats, weight: Floats, member: Ints
) -> Iterator[tuple[Ints, Ranking, float]]:
    """Return the rows of each member that has both classes, their ROC curve and their weighted pairs."""
    for one in np.unique(member):
        rows = np.flatnonzero(member == one)
        curve = ranking(label[rows], pd[rows], weight[rows])
        if curve is not None:
            bad = label[rows] > 0
            yield rows, curve, float(weight[rows][bad].sum() * weight[rows][~bad].sum())


def _in_order(pd: Floats, weight: Floats, bad: npt.NDArray[np.bool_]) -> Floats:
    """Return for each row the share of the other class that it is in the right order with; ties are half."""
    out = np.empty(len(pd))
    for own, sign in ((bad, 1.0), (~bad, -1.0)):
        other = np.sort(sign * pd[~own])
        below = np.append(0.0, np.cumsum(weight[~own][np.argsort(sign * pd[~own])]))
        first, last = (np.searchsorted(other, sign * pd[own], side) for side in ("left", "right"))
        out[own] = (below[first] + below[last]) / 2 / below[-1]
    return out


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
    return wilson(rate, n)
