"""Twelve months of the augmented chain forward, for many loans on many macro paths at once."""

from dataclasses import dataclass

import numpy as np

from loanbook.settings.simulate import HazardProcess
from loanbook.simulate import chain as ch
from loanbook.simulate.contract import remaining_share
from loanbook.simulate.draws import Array
from loanbook.simulate.hazards import Drivers, Odds, Traits, odds

Mass = dict[int, Array]  # probability in each augmented state, (n, P) or broadcastable to it


@dataclass(frozen=True)
class Cohort:
    """Performing loans in one month, each a row: what the next twelve months need of them.

    ``points`` and ``deferred_points`` are the balances divided by the property's value per index point.
    """

    traits: Traits
    state: Array
    region: Array
    age: Array
    remaining: Array
    rate: Array
    points: Array
    deferred_points: Array

    def take(self, rows: "Array | slice") -> "Cohort":
        """Return some of the loans."""
        others = (
            self.state,
            self.region,
            self.age,
            self.remaining,
            self.rate,
            self.points,
            self.deferred_points,
        )
        return Cohort(self.traits.take(rows), *(column[rows] for column in others))


@dataclass(frozen=True)
class Paths:
    """Macro as published at each of H months, on P paths, float32.

    ``unemployment`` (H, R, P) and ``hpi`` (H, R, P) by state, ``rate`` (H, P).
    """

    unemployment: Array
    hpi: Array
    rate: Array


def default_probability(p: HazardProcess, chain: ch.Chain, cohort: Cohort, paths: Paths) -> Array:
    """Return the probability of default within the paths' months, the mean over the paths, shape (n,).

    Labels leave out a loan that is removed before it defaults, so the probability is given that it is not:
    D / (1 - R), with D the probability of default and R that of removal before any default.

    Args:
        p: the process's parameters.
        chain: see ``make_chain``.
        cohort: n performing loans in one month.
        paths: the macro that they meet.
    """
    mass: Mass = {
        int(state): (cohort.state == state).astype(np.float32)[:, None] for state in np.unique(cohort.state)
    }
    defaulted = removed = np.zeros((1, 1), np.float32)
    for step in range(len(paths.rate)):
        mass = _step(chain, mass, odds(p, cohort.traits, _drivers(cohort, paths, step)))
        _mature(mass, cohort.remaining - step - 1)
        defaulted = defaulted + mass.pop(ch.DEFAULTED, np.float32(0))
        removed = removed + mass.pop(ch.REMOVED, np.float32(0))
        mass.pop(ch.PREPAID, None)
    shape = (len(cohort.state), paths.rate.shape[1])
    d, r = (np.broadcast_to(x, shape).mean(axis=1, dtype=float) for x in (defaulted, removed))
    out: Array = d / (1 - r)
    return out


def _drivers(cohort: Cohort, paths: Paths, step: int) -> Drivers:
    left = remaining_share(cohort.rate, cohort.remaining, np.minimum(step, cohort.remaining))
    points = (cohort.points * left + cohort.deferred_points).astype(np.float32)[:, None]
    return Drivers(
        age=(cohort.age + step)[:, None],
        mtm_ltv=points / paths.hpi[step][cohort.region],
        unemployment=paths.unemployment[step][cohort.region],
        incentive=cohort.rate.astype(np.float32)[:, None] - paths.rate[step],
    )


def _step(chain: ch.Chain, mass: Mass, indices: Odds) -> Mass:
    """Move the mass one month on; states that share their odds are moved together."""
    out: Mass = {}
    for states in _alike(chain, mass):
        chances = _chances(chain.odds[states[0]], states[0], indices)
        for state in states:
            _add(out, int(chain.target[state, ch.CURRENT_OUT]), mass[state] * chances[ch.CURRENT_OUT])
        total = sum((mass[state] for state in states[1:]), mass[states[0]])
        for outcome in range(1, len(ch.OUTCOMES)):
            if outcome in chances and outcome != ch.PREPAID_OUT:
                _add(out, int(chain.target[states[0], outcome]), total * chances[outcome])
    return out


def _alike(chain: ch.Chain, mass: Mass) -> list[list[int]]:
    groups: dict[bytes, list[int]] = {}
    for state in mass:
        groups.setdefault(chain.odds[state].tobytes() + chain.target[state, 1:].tobytes(), []).append(state)
    return list(groups.values())


def _chances(row: Array, state: int, indices: Odds) -> dict[int, Array]:
    factor = {
        ch.DPD30_OUT: indices.delinquency if state < ch.DPD30 else None,
        ch.DPD60_OUT: indices.roll if ch.DPD30 <= state < ch.DPD60 else None,
        ch.DEFAULT_OUT: indices.roll,
        ch.PREPAID_OUT: indices.prepayment,
    }
    terms = {
        outcome: row[outcome] * known if (known := factor.get(outcome)) is not None else row[outcome]
        for outcome in np.flatnonzero(row).tolist()
    }
    scale = 1 / sum(terms.values())
    return {outcome: term * scale for outcome, term in terms.items()}


def _add(mass: Mass, state: int, more: Array) -> None:
    mass[state] = mass[state] + more if state in mass else more


def _mature(mass: Mass, remaining: Array) -> None:
    if (remaining > 0).all():
        return
    live = (remaining > 0).astype(np.float32)[:, None]
    for state in [state for state in mass if state < ch.DPD30]:
        mass[state] = mass[state] * live
