"""The macro process: one realised path with scheduled recessions, and paths onward from any of its months."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np

from loanbook.settings.simulate import HiddenSettings, MacroProcess, SimulationSettings
from loanbook.simulate.draws import Array, generator
from loanbook.simulate.frailty import NOTHING_HIDDEN, Frailty, realised_frailty
from loanbook.simulate.regions import HPI_BETA, REGIONS, UNEMPLOYMENT_BETA, UNEMPLOYMENT_OFFSET

BEFORE = 24  # months of macro before the first origination
AFTER = 24  # months of macro after the tape's end
BEYOND = 480  # months more that the truth runs on: the longest term of a contract
UNEMPLOYMENT_LAG = 1  # months until a month's figure is published
HPI_LAG = 2


@dataclass(frozen=True)
class MacroState:
    """The process in one month, for each of P paths and R states.

    ``unemployment`` in %, ``growth`` and ``log_hpi`` in logs, ``rate`` in % a year; the deviations are the
    states' own.
    """

    recession: Array  # (P,) bool
    unemployment: Array  # (P,)
    growth: Array  # (P,)
    log_hpi: Array  # (P,)
    rate: Array  # (P,)
    unemployment_own: Array  # (P, R)
    log_hpi_own: Array  # (P, R)

    def repeated(self, paths: int) -> "MacroState":
        """Return the state of a single path as the start of many."""
        return MacroState(*(np.repeat(getattr(self, field.name), paths, axis=0) for field in fields(self)))

    def regional_unemployment(self) -> Array:
        """Return each state's unemployment, % (P, R), at least 1.5."""
        gap = (self.unemployment[:, None] - 4.5) * UNEMPLOYMENT_BETA
        out: Array = np.maximum(4.5 + UNEMPLOYMENT_OFFSET + gap + self.unemployment_own, 1.5)
        return out

    def regional_hpi(self) -> Array:
        """Return each state's house price index, 100 at the history's start (P, R)."""
        out: Array = 100.0 * np.exp(self.log_hpi[:, None] * HPI_BETA + self.log_hpi_own)
        return out


@dataclass(frozen=True)
class Macro:
    """The realised path. Month m of the arrays is tape month ``m - lead``.

    Attributes:
        unemployment: % by month and state, (M, R).
        hpi: index by month and state, (M, R).
        rate: 30-year mortgage rate, % a year, (M,).
        states: the process in each month.
        frailty: what the book's loans share besides, in no file.
    """

    lead: int
    unemployment: Array
    hpi: Array
    rate: Array
    states: tuple[MacroState, ...]
    frailty: Frailty


def advance(p: MacroProcess, state: MacroState, recession: Array, rng: np.random.Generator) -> MacroState:
    """Return the next month of every path; the package's docstring has the formulas.

    Args:
        p: the process's parameters.
        state: the month before, on P paths.
        recession: whether each path is in recession in the next month, shape (P,).
        rng: draws the noise.
    """
    paths, regions = state.unemployment_own.shape
    noise = rng.standard_normal((3, paths))
    own = rng.standard_normal((2, paths, regions))
    reverted = state.unemployment + p.unemployment_reversion * (p.unemployment_floor - state.unemployment)
    unemployment = np.where(recession, state.unemployment + p.unemployment_rise, reverted)
    drift = np.where(recession, p.hpi_growth_recession, p.hpi_growth)
    growth = p.hpi_momentum * state.growth + (1 - p.hpi_momentum) * drift + p.hpi_noise * noise[1]
    rate_mean = p.rate_mean - p.rate_fall_recession * recession
    rate = state.rate + p.rate_reversion * (rate_mean - state.rate) + p.rate_noise * noise[2]
    return MacroState(
        recession=recession,
        unemployment=np.maximum(unemployment + p.unemployment_noise * noise[0], 2.5),
        growth=growth,
        log_hpi=state.log_hpi + growth,
        rate=np.maximum(rate, 2.0),
        unemployment_own=p.region_persistence * state.unemployment_own + p.region_unemployment_noise * own[0],
        log_hpi_own=p.region_persistence * state.log_hpi_own + p.region_hpi_noise * own[1],
    )


def recession_months(p: MacroProcess, months: int) -> Array:
    """Return whether each tape month, and each of ``AFTER`` more, is in a scheduled recession.

    >>> scheduled = recession_months(MacroProcess(recession_starts=(0.5,), recession_months=(3,)), 60)
    >>> len(scheduled), np.flatnonzero(scheduled).tolist()
    (84, [30, 31, 32])
    """
    scheduled = np.zeros(months + AFTER, dtype=bool)
    for start, length in zip(p.recession_starts, p.recession_months, strict=True):
        first = round(start * months)
        scheduled[first : first + length] = True
    return scheduled


def realised_macro(
    settings: SimulationSettings, months: int, seed: int, hidden: HiddenSettings = NOTHING_HIDDEN
) -> Macro:
    """Return the one path that the tapes follow, from before the first origination to after the tape.

    Args:
        settings: of the simulation.
        months: length of the tape.
        seed: of every draw.
        hidden: what moves the book and is on no tape.
    """
    p, rng = settings.macro, generator(seed, "macro")
    lead = BEFORE + settings.book.seasoned_months
    scheduled = np.concatenate([np.zeros(lead, dtype=bool), recession_months(p, months)])
    zero, own = np.zeros(1), np.zeros((1, len(REGIONS)))
    states = [
        MacroState(
            recession=scheduled[:1],
            unemployment=zero + p.unemployment_start,
            growth=zero + p.hpi_growth,
            log_hpi=zero,
            rate=zero + p.rate_start,
            unemployment_own=own,
            log_hpi_own=own,
        )
    ]
    for month in range(1, len(scheduled)):
        states.append(advance(p, states[-1], scheduled[month : month + 1], rng))
    return _as_macro(lead, states, realised_frailty(hidden, len(states), seed))


def _as_macro(lead: int, states: Sequence[MacroState], frailty: Frailty) -> Macro:
    return Macro(
        lead=lead,
        unemployment=np.concatenate([state.regional_unemployment() for state in states]),
        hpi=np.concatenate([state.regional_hpi() for state in states]),
        rate=np.concatenate([state.rate for state in states]),
        states=tuple(states),
        frailty=frailty,
    )


def run_on(p: MacroProcess, macro: Macro, seed: int) -> Macro:
    """Return the realised path with ``BEYOND`` more months, recessions at random, for the lifetime truth.

    What the macro file holds ends before: nothing on the tapes depends on these months.

    Args:
        p: the process's parameters.
        macro: the realised path.
        seed: of every draw.
    """
    more = onward(p, macro.states[-1], 1, BEYOND, generator(seed, "macro beyond"))
    frailty = macro.frailty.run_on(BEYOND, generator(seed, "frailty beyond"))
    return _as_macro(macro.lead, [*macro.states, *more], frailty)


def onward(
    p: MacroProcess, state: MacroState, paths: int, steps: int, rng: np.random.Generator
) -> list[MacroState]:
    """Return ``steps`` months of ``paths`` paths after ``state``, recessions entered and left at random.

    Args:
        p: the process's parameters.
        state: of the realised path in one month.
        paths: how many.
        steps: months ahead.
        rng: draws the recessions and the noise.
    """
    out, now = [], state.repeated(paths)
    for _ in range(steps):
        chance = np.where(now.recession, 1 - p.recession_exit, p.recession_entry)
        now = advance(p, now, rng.random(paths) < chance, rng)
        out.append(now)
    return out


def macro_rows(macro: Macro, first_month: str) -> Iterator[tuple[str, str, str, float]]:
    """Yield (region, month, series, value) of the published figures, by month.

    A row's month is the one that the figure is of; its publication lag is for the macro mapping to state.
    """
    start = np.datetime64(first_month, "M") - macro.lead
    for m, state in enumerate(macro.states):
        month = f"{start + m}-01"
        yield "US", month, "unemployment", float(state.unemployment[0])
        yield "US", month, "hpi", float(100.0 * np.exp(state.log_hpi[0]))
        yield "US", month, "mortgage_rate", float(macro.rate[m])
        for r, region in enumerate(REGIONS):
            yield region.code, month, "unemployment", float(macro.unemployment[m, r])
            yield region.code, month, "hpi", float(macro.hpi[m, r])
