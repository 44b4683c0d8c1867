"""Curves of default and prepayment against what came about, at horizons that some rows were followed for.

Of each horizon those rows are judged whose month lies that long before the end of what is known: whether a
row is judged follows from its month alone (Kvamme, Borgan 2023, *The Brier score under administrative
censoring*).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from loanbook.book.months import month_number
from loanbook.evaluation.assess import Evaluation, rows_of
from loanbook.evaluation.measures import Measured, nothing
from loanbook.evaluation.sample import Sample
from loanbook.models.artefact.artefact import MODEL
from loanbook.models.clustered import Floats
from loanbook.models.follow_up import DEFAULT, NEITHER, PREPAYMENT
from loanbook.models.head import Head
from loanbook.models.incidence import Curves, aalen_johansen, hazards, incidences
from loanbook.settings.evaluate import EvaluateSettings
from loanbook.training.snapshot.fold import TEST, VALIDATION

HORIZONS = (12, 24, 36, 60)  # months
EVENTS = {"default": DEFAULT, "prepayment": PREPAYMENT}


@dataclass(frozen=True)
class Followed:
    """Rows of a sample with the model's curves and what became of them.

    Args:
        part: the rows, whose frame has ``months`` at risk and the ``event`` that ended them.
        curves: the model's, calibrated.
        ahead: months from each row to the end of what is known, (rows,).
    """

    part: Sample
    curves: Curves
    ahead: npt.NDArray[np.int64]

    @property
    def months(self) -> Floats:
        """Return the months that each row was at risk."""
        return self.part.frame["months"].to_numpy(np.float64)

    @property
    def event(self) -> Floats:
        """Return the code of what ended them."""
        return self.part.frame["event"].to_numpy(np.float64)

    def where(self, rows: npt.NDArray[np.bool_]) -> "Followed":
        """Return some of the rows."""
        return Followed(self.part.part(rows), self.curves.where(rows), self.ahead[rows])

    def expected(self) -> npt.NDArray[np.float64]:
        """Return the cumulative incidences of the mean hazards of the rows at risk, (events, periods).

        What was observed is of these rows in each period too: cohorts that were followed for long are others
        than those that were not, and the mean of all curves would be of all cohorts in every period.
        """
        both = (np.diff(of, axis=1, prepend=0.0) for of in (self.curves.default, self.curves.prepayment))
        first, second, _ = hazards(*both)
        at_risk = np.ceil(self.months / self.curves.months[0])[:, None] >= 1 + np.arange(first.shape[1])
        weight = self.part.weight[:, None] * at_risk
        total = np.maximum(weight.sum(axis=0), np.finfo(float).tiny)
        default, prepayment = (((weight * of).sum(axis=0) / total)[None] for of in (first, second))
        found = incidences(default, prepayment, 1 - default - prepayment)
        return np.cumsum(np.concatenate(found), axis=1)

    def observed(self) -> npt.NDArray[np.float64]:
        """Return the estimate of Aalen and Johansen, (events, periods)."""
        periods = np.ceil(self.months / self.curves.months[0])
        return aalen_johansen(periods, self.event, self.part.weight, len(self.curves.months))


def followed_of(target: Head, samples: Sequence[Sample], manifest: Mapping[str, Any]) -> list[Followed]:
    """Return the samples whose model gives curves; none of another model.

    Args:
        target: what the model predicts.
        samples: with all of its outputs.
        manifest: of the snapshot, which says what of its rows is known until when.
    """
    known = manifest.get("known_until", {})
    found = []
    for part in samples:
        curves = target.curves(part.vectors[MODEL][1]) if MODEL in part.vectors else None
        until = known.get("later" if part.role in (TEST, VALIDATION) else "development")
        if curves is None or until is None or not len(part.label):
            continue
        last = month_number(date.fromisoformat(until))
        found.append(Followed(part, curves, last - part.together.month))
    return found


def curve_rows(of: Followed, fold: str, settings: EvaluateSettings) -> Iterator[Evaluation]:
    """Return Brier scores and mean incidences by horizon as rows of ``evaluations``.

    Loans that were lost before a horizon without an event are not in its Brier score, and are censored in
    what was observed.
    """
    for horizon in HORIZONS:
        if horizon > of.curves.months[-1] or not (of.ahead >= horizon).any():
            continue
        rows = of.where(of.ahead >= horizon)
        defaulted = (rows.event == DEFAULT) & (rows.months <= horizon)
        enough = len(np.unique(rows.part.together.borrower[defaulted])) >= settings.min_defaults
        measured = _measured(rows, horizon) if enough else nothing(_names(horizon))
        yield from rows_of(rows.part, MODEL, fold, "all", measured)


def _names(horizon: int) -> Iterator[str]:
    for name in EVENTS:
        yield from (f"{what}_{name}_{horizon}m" for what in ("brier", "cif", "aalen_johansen"))


def _measured(of: Followed, horizon: int) -> Measured:
    lost = (of.event == NEITHER) & (of.months < horizon)
    kept, column = of.where(~lost), int(np.searchsorted(of.curves.months, horizon))
    judged = f"rows followed {horizon} months"
    # What came about within a horizon is shared by rows whose windows of that length overlap.
    together = replace(kept.part.together, horizon_months=horizon)
    said = f"{judged}, less {int(lost.sum())} lost before; interval {together.said}"
    found: Measured = {}
    for place, (name, code) in enumerate(EVENTS.items()):
        ends = f"{name}_{horizon}m"
        expected = of.curves.at(horizon)[place]
        came = (kept.event == code) & (kept.months <= horizon)
        squares = (came - expected[~lost]) ** 2
        found[f"brier_{ends}"] = (together.mean(squares, kept.part.weight), said)
        found[f"cif_{ends}"] = (
            float(np.average(expected, weights=of.part.weight)),
            f"weighted mean, {judged}",
        )
        found[f"aalen_johansen_{ends}"] = (float(of.observed()[code, column]), f"Aalen-Johansen, {judged}")
    return found


@dataclass(frozen=True)
class Drawn:
    """Mean cumulative incidences by month: what was expected beside what it is held against.

    Args:
        about: the rows, in words.
        against: what it is held against, in words.
        months: (periods,).
        expected: of the model, (events, periods).
        other: (events, periods).
    """

    about: str
    against: str
    months: npt.NDArray[np.int64]
    expected: npt.NDArray[np.float64]
    other: npt.NDArray[np.float64]


def mean_of(curves: Curves, weight: Floats) -> npt.NDArray[np.float64]:
    """Return the weighted mean curves, (events, periods)."""
    both = (curves.default, curves.prepayment)
    return np.array([np.average(one, axis=0, weights=weight) for one in both])


def drawn_of(of: Followed) -> Drawn:
    """Return a sample's curves up to the last month that any of its rows was followed."""
    known = of.curves.months <= of.ahead.max()
    return Drawn(
        f"{len(of.ahead):,} rows of the sample {of.part.role}", "observed (Aalen-Johansen)",
        of.curves.months[known], of.expected()[:, known], of.observed()[:, known],
    )  # fmt: skip
