"""Curves of two competing events by period, in NumPy: hazards, incidences, and how a calibration shifts them.

In period t a loan still at risk defaults, prepays or stays: the hazards h_D, h_P and h_S = 1 - h_D - h_P.
The incidences f(t) = S(t - 1) h(t), with S the product of h_S, are the same seen from today: their sums over
the periods, the cumulative incidences, and S add up to 1 (Kalbfleisch, Prentice 2002, section 8.2).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WIDEST = 40.0  # log odds, beyond any shift of a probability kept 1e-9 away from 0 and 1
HALVINGS = 45  # which leave 2e-12 of them
LEAST = 1e-12  # share at risk, or that stays, below which hazards are taken for those of that share
DECAY_MONTHS = 24.0  # over which a shift falls to 1 / e beyond the months that it was made for


def spline_basis(periods: int, count: int) -> Floats:
    """Return cubic B-splines over the periods, (count, periods), that add up to 1 in each.

    Knots lie equally far apart in log(1 + t / 12): hazards bend in the first months, when arrears cure or
    roll, more than later. Fewer periods than splines have as many splines as periods.

    Formula: de Boor (1978), chapter IX.

    >>> spline_basis(60, 6).shape, spline_basis(4, 6).shape
    ((6, 60), (4, 4))
    """
    at = np.log1p(np.arange(periods) / 12)
    count, degree = min(count, periods), min(3, periods - 1)
    inner = np.linspace(at[0], at[-1], count - degree + 1)
    knots = np.concatenate([np.repeat(at[0], degree), inner, np.repeat(at[-1], degree)])
    last = at >= inner[-1]  # the last period belongs to the last spline
    found = [
        ((at >= low) & (at < high)) | (last & (high == inner[-1]) & (low < high))
        for low, high in pairwise(knots)
    ]
    basis = np.array(found, np.float64)
    for step in range(1, degree + 1):
        basis = np.array(
            [
                _share(at - knots[i], knots[i + step] - knots[i]) * basis[i]
                + _share(knots[i + step + 1] - at, knots[i + step + 1] - knots[i + 1]) * basis[i + 1]
                for i in range(len(basis) - 1)
            ]
        )
    return basis


def _share(part: Floats, whole: float) -> Floats:
    return part / whole if whole > 0 else np.zeros_like(part)


def constant_hazard(rate: float, prepayment: float, periods: int) -> float:
    """Return the hazard of default that, the same in each period, makes a rate of default.

    Args:
        rate: of default within the periods.
        prepayment: hazard of prepayment in each.
        periods: of the rate.

    >>> round(constant_hazard(0.19, 0.0, 2), 6)
    0.1
    """
    low, high = 0.0, 1 - prepayment
    for _ in range(60):
        hazard = (low + high) / 2
        gone = hazard + prepayment
        found = hazard / gone * (1 - (1 - gone) ** periods)
        low, high = (hazard, high) if found < rate else (low, hazard)
    return (low + high) / 2


def hazards(default: Floats, prepayment: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the hazards of default, prepayment and staying of incidences, each (rows, periods)."""
    gone = np.cumsum(default + prepayment, axis=1)
    at_risk = np.maximum(1 - np.concatenate([np.zeros((len(gone), 1)), gone[:, :-1]], axis=1), LEAST)
    first, second = default / at_risk, prepayment / at_risk
    return first, second, np.maximum(1 - first - second, LEAST)


def incidences(first: Floats, second: Floats, stay: Floats) -> tuple[Floats, Floats]:
    """Return the incidences of two events, each (rows, periods), of their hazards."""
    survival = np.cumprod(stay, axis=1)
    before = np.concatenate([np.ones((len(stay), 1)), survival[:, :-1]], axis=1)
    return before * first, before * second


def with_default_of(
    default: Floats, prepayment: Floats, wanted: Floats, year: int, period_months: int
) -> tuple[Floats, Floats]:
    """Return the incidences whose default within the first ``year`` periods is ``wanted``.

    Each row's log odds of default against prepaying and staying move by one shift in those periods, which
    falls off as exp(-(t - 12) / 24) in the months t beyond; the others keep their proportion. Incidence rises
    with the shift, which is found by bisection. A row that cannot default at all stays as it is.

    Args:
        default: incidences, (rows, periods).
        prepayment: the same of prepayment.
        wanted: cumulative incidence of default, (rows,).
        year: periods that it is of.
        period_months: of a period.
    """
    first, second, stay = hazards(default, prepayment)
    near = (first[:, :year], second[:, :year], stay[:, :year])
    low, high = np.full(len(wanted), -WIDEST), np.full(len(wanted), WIDEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = incidences(*_moved(*near, middle[:, None]))[0].sum(axis=1) < wanted
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    beyond = np.maximum(0, np.arange(1, default.shape[1] + 1) - year) * period_months
    shift = ((low + high) / 2)[:, None] * np.exp(-beyond / DECAY_MONTHS)
    return incidences(*_moved(first, second, stay, shift))


def _moved(first: Floats, second: Floats, stay: Floats, shift: Floats) -> tuple[Floats, Floats, Floats]:
    """Return hazards with the log odds of the first event moved, and renormalised."""
    odds = np.exp(shift)
    whole = first * odds + second + stay
    return first * odds / whole, second / whole, stay / whole


@dataclass(frozen=True)
class Curves:
    """Cumulative incidences of rows by month ahead.

    Args:
        months: of each column, (periods,).
        default: (rows, periods).
        prepayment: (rows, periods).
    """

    months: npt.NDArray[np.int64]
    default: Floats
    prepayment: Floats

    def where(self, rows: npt.NDArray[np.bool_]) -> "Curves":
        """Return those of some of the rows."""
        return Curves(self.months, self.default[rows], self.prepayment[rows])

    def at(self, month: int) -> tuple[Floats, Floats]:
        """Return default and prepayment within so many months, each (rows,)."""
        column = int(np.searchsorted(self.months, month))
        return self.default[:, column], self.prepayment[:, column]


def aalen_johansen(
    last: Floats, event: Floats, weight: Floats, periods: int, events: int = 2
) -> npt.NDArray[np.float64]:
    """Return the cumulative incidence of each event by period, (events, periods), of rows some censored.

    The estimate of Aalen and Johansen (1978) in discrete time: hazards are events over rows at risk.

    Args:
        last: period of each row's event, or the last that it was at risk in.
        event: its code, from 0; any other is censoring.
        weight: of each row.
        periods: of the estimate.
        events: how many there are.

    >>> aalen_johansen(np.array([1, 1, 2, 2]), np.array([0, 2, 1, 2]), np.ones(4), 2).round(3).tolist()
    [[0.25, 0.25], [0.0, 0.375]]
    """
    at_risk = np.array([np.sum(weight[last >= period]) for period in range(1, periods + 1)])
    found = np.zeros((events, periods))
    for code in range(events):
        came = np.bincount(
            last[event == code].astype(np.int64), weight[event == code], minlength=periods + 1
        )[1 : periods + 1]
        found[code] = came / np.maximum(at_risk, LEAST)
    survival = np.cumprod(1 - found.sum(axis=0))
    return np.cumsum(found * np.concatenate([[1.0], survival[:-1]]), axis=1)
