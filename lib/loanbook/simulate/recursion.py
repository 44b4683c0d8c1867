"""The augmented chain carried forward month by month, for many loans on many macro paths at once."""

from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from loanbook.settings.simulate import HazardProcess
from loanbook.simulate import chain as ch
from loanbook.simulate.contract import remaining_share
from loanbook.simulate.draws import Array
from loanbook.simulate.hazards import Drivers, Odds, Traits, odds
from loanbook.simulate.paths import Paths

EVENTS = ("default", "prepayment", "removed", "matured")
DEFAULT, PREPAYMENT, REMOVED = range(3)  # positions in EVENTS
Mass = dict[int, Array]  # probability in each augmented state, (n, P) or broadcastable to it


@dataclass(frozen=True)
class Cohort:
    """Performing loans in one month, each a row: what the months ahead need of them.

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


def marginals(p: HazardProcess, chain: ch.Chain, cohort: Cohort, paths: Paths) -> Array:
    """Return the probability of each of ``EVENTS`` in each month ahead, shape (kinds, events, H, n).

    Each is the mean over the paths of a kind. A loan has one event at most, whichever comes first: default
    absorbs. What the events leave of 1 is on the book after H months.

    Args:
        p: the process's parameters.
        chain: see ``make_chain``.
        cohort: n performing loans in one month.
        paths: the macro that they meet in H months.
    """
    mass: Mass = {
        int(state): (cohort.state == state).astype(np.float32)[:, None] for state in np.unique(cohort.state)
    }
    n, horizon = len(cohort.state), len(paths.rate)
    none = np.zeros((1, 1), np.float32)
    out = np.zeros((len(paths.kinds), len(EVENTS), horizon, n))
    for step in range(horizon):
        mass = _step(chain, mass, odds(p, cohort.traits, _drivers(cohort, paths, step)))
        matured = _mature(mass, cohort.remaining - step - 1)
        left = [mass.pop(state, none) for state in (ch.DEFAULTED, ch.PREPAID, ch.REMOVED)]
        for event, share in enumerate((*left, matured)):
            out[:, event, step] = _means(share, n, paths.kinds)
    return out


def _means(share: Array, n: int, kinds: tuple[int, ...]) -> Array:
    """Return the means over the paths of each kind, (kinds, n)."""
    if share.size == 1:
        return np.full((len(kinds), n), float(share[0, 0]))
    whole = np.broadcast_to(share, (n, sum(kinds)))
    bounds = pairwise(accumulate(kinds, initial=0))
    return np.stack([whole[:, start:end].mean(axis=1, dtype=float) for start, end in bounds])


def _drivers(cohort: Cohort, paths: Paths, step: int) -> Drivers:
    left = remaining_share(cohort.rate, cohort.remaining, np.minimum(step, cohort.remaining))
    points = (cohort.points * left + cohort.deferred_points).astype(np.float32)[:, None]
    return Drivers(
        age=(cohort.age + step)[:, None],
        mtm_ltv=points / paths.hpi[step][cohort.region],
        unemployment=paths.unemployment[step][cohort.region],
        incentive=cohort.rate.astype(np.float32)[:, None] - paths.rate[step],
        frailty=paths.frailty[step][None],
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
            if outcome in chances:
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


def _mature(mass: Mass, remaining: Array) -> Array:
    """Take the current loans without a month left out of the mass, and return their share."""
    out: Array = np.zeros((1, 1), np.float32)
    if (remaining > 0).all():
        return out
    live = (remaining > 0).astype(np.float32)[:, None]
    for state in [state for state in mass if state < ch.DPD30]:
        out = out + mass[state] * (1 - live)
        mass[state] = mass[state] * live
    return out
