"""Macro paths that the truth looks ahead on: the realised one, the frozen one, and many simulated ones."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from loanbook.settings.simulate import SimulationSettings
from loanbook.simulate.draws import Array, generator
from loanbook.simulate.macro import HPI_LAG, UNEMPLOYMENT_LAG, Macro, onward

REALISED, EXPECTED, FROZEN = "realised", "expected", "frozen"
SERIES = ("unemployment", "hpi", "rate", "frailty")


@dataclass(frozen=True)
class Paths:
    """Macro as published at each of H months, on P paths of one or several kinds, float32.

    Attributes:
        unemployment: by state, (H, R, P).
        hpi: by state, (H, R, P).
        rate: (H, P).
        frailty: log odds that all loans share, (H, P).
        kinds: paths of each kind, in order; P in all. Probabilities are means over the paths of a kind.
    """

    unemployment: Array
    hpi: Array
    rate: Array
    frailty: Array
    kinds: tuple[int, ...]

    def first(self, months: int) -> "Paths":
        """Return the first months of the paths."""
        cut = {name: getattr(self, name)[:months] for name in SERIES}
        return replace(self, **cut)


@dataclass(frozen=True)
class Outlook:
    """What the truth assumes of the months ahead: one or more of ``realised``, ``expected``, ``frozen``."""

    settings: SimulationSettings
    macro: Macro
    seed: int
    kinds: tuple[str, ...]

    def paths(self, month: int, horizon: int) -> Paths:
        """Return the paths of each kind from a tape month on, beside each other."""
        made = {
            REALISED: lambda: realised_paths(self.macro, month, horizon),
            EXPECTED: lambda: expected_paths(self.settings, self.macro, month, horizon, self.seed),
            FROZEN: lambda: frozen_paths(self.macro, month, horizon),
        }
        return together(*(made[kind]() for kind in self.kinds))


def together(*parts: Paths) -> Paths:
    """Return paths of several kinds beside each other, so that one recursion takes all."""
    joined = {name: np.concatenate([getattr(part, name) for part in parts], axis=-1) for name in SERIES}
    return Paths(**joined, kinds=tuple(kind for part in parts for kind in part.kinds))


def realised_paths(macro: Macro, month: int, horizon: int) -> Paths:
    """Return the one realised path as it was published in the months from a tape month on.

    Args:
        macro: the realised path, ``horizon`` months beyond the month at least.
        month: the tape month.
        horizon: H.
    """
    return _single(macro, np.arange(month, month + horizon) + macro.lead)


def frozen_paths(macro: Macro, month: int, horizon: int) -> Paths:
    """Return the path on which what is published in a tape month stays for good; arguments as above."""
    return _single(macro, np.full(horizon, month + macro.lead))


def _single(macro: Macro, m: Array) -> Paths:
    return Paths(
        unemployment=macro.unemployment[m - UNEMPLOYMENT_LAG][:, :, None].astype(np.float32),
        hpi=macro.hpi[m - HPI_LAG][:, :, None].astype(np.float32),
        rate=macro.rate[m][:, None].astype(np.float32),
        frailty=macro.frailty.realised[m][:, None].astype(np.float32),
        kinds=(1,),
    )


def expected_paths(settings: SimulationSettings, macro: Macro, month: int, horizon: int, seed: int) -> Paths:
    """Return paths simulated from a tape month on, shared by all loans, as they would be published.

    What is published in the first months is of months before, and so the same on every path: unemployment is
    a month late, house prices two. A longer horizon continues the same paths.

    Args:
        settings: of the simulation.
        macro: the realised path up to the month.
        month: the tape month.
        horizon: H.
        seed: of every draw.
    """
    m, n = month + macro.lead, settings.truth.paths
    ahead = onward(settings.macro, macro.states[m], n, horizon - 1, generator(seed, "paths", month))
    unemployment = (state.regional_unemployment() for state in ahead)
    hpi = (state.regional_hpi() for state in ahead)
    rate = np.stack([np.full(n, macro.rate[m]), *(state.rate for state in ahead)])
    frailty = macro.frailty.onward(m, n, horizon - 1, generator(seed, "frailty paths", month))
    return Paths(
        unemployment=_published(macro.unemployment[m - UNEMPLOYMENT_LAG : m + 1], unemployment, horizon, n),
        hpi=_published(macro.hpi[m - HPI_LAG : m + 1], hpi, horizon, n),
        rate=rate.astype(np.float32),
        frailty=frailty.astype(np.float32),
        kinds=(n,),
    )


def _published(known: Array, ahead: Iterable[Array], horizon: int, paths: int) -> Array:
    """Return (H, R, P): first what is known (L, R), then months (P, R) of the paths."""
    out = np.empty((horizon, known.shape[1], paths), np.float32)
    out[: len(known)] = known[:horizon, :, None]
    for h, values in zip(range(len(known), horizon), ahead, strict=False):
        out[h] = values.T
    return out
