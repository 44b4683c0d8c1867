"""The augmented delinquency state of a performing loan and its next-month probabilities.

Whether a loan falls behind depends on its past, so the state of the chain holds that too: of a current loan
its worst delinquency so far (never, 30, 60 or more) and the months since the last one, counted to 12 and then
held; of a delinquent one whether this is its first month at that status. Default is a state of its own; what
follows it is on the tape (``after_default``) and not in the truth.
"""

from dataclasses import dataclass

import numpy as np

from loanbook.settings.simulate import HazardProcess
from loanbook.simulate.draws import Array
from loanbook.simulate.hazards import Odds

HELD = 13  # months since the last delinquency beyond which no more are counted
NEVER = 0
EVER_30, EVER_60 = 1, 1 + HELD  # the first of each run of months since the last delinquency
DPD30 = 1 + 2 * HELD  # worst 30: first month, later; worst 60: first month, later
DPD60 = DPD30 + 4  # first month, later
DEFAULTED = DPD60 + 2
REO = DEFAULTED + 1
PREPAID, MATURED, LIQUIDATED, REMOVED = REO + 1, REO + 2, REO + 3, REO + 4
STATES = REMOVED + 1
OUTCOMES = ("current", "dpd30", "dpd60", "default", "prepaid", "removed")
CURRENT_OUT, DPD30_OUT, DPD60_OUT, DEFAULT_OUT, PREPAID_OUT, REMOVED_OUT = range(6)


@dataclass(frozen=True)
class Chain:
    """For each augmented state, the odds of each outcome before the loan's indices, and where it leads.

    Attributes:
        odds: (states, outcomes); 1 for staying as delinquent as now, so that all others are relative to it.
        target: the augmented state after each outcome, (states, outcomes).
    """

    odds: Array
    target: Array


def months_delinquent(state: Array) -> Array:
    """Return the months that a performing state is past due, as on the tape: 0, 1 or 2, and 3 for default.

    >>> months_delinquent(np.array([NEVER, EVER_60, DPD30, DPD60, DEFAULTED])).tolist()
    [0, 0, 1, 2, 3]
    """
    return np.searchsorted([DPD30, DPD60, DEFAULTED], state, side="right").astype(np.int16)


def make_chain(p: HazardProcess) -> Chain:
    """Tabulate the chain's odds and targets.

    >>> chain = make_chain(HazardProcess())
    >>> chain.odds.shape == (DEFAULTED, len(OUTCOMES))
    True
    >>> int(chain.target[NEVER, CURRENT_OUT]) == NEVER, int(chain.target[DPD30, CURRENT_OUT]) == EVER_30
    (True, True)
    """
    odds = np.zeros((DEFAULTED, len(OUTCOMES)), dtype=np.float32)
    target = np.zeros((DEFAULTED, len(OUTCOMES)), dtype=np.int8)
    target[:, [DEFAULT_OUT, PREPAID_OUT, REMOVED_OUT]] = [DEFAULTED, PREPAID, REMOVED]
    odds[:, REMOVED_OUT] = p.removal
    _current(odds, target, NEVER, NEVER, 1.0, 1.0, DPD30)
    for first, history, prepay, onward in (
        (EVER_30, p.history_30, p.history_prepayment[0], DPD30),
        (EVER_60, p.history_60, p.history_prepayment[1], DPD30 + 2),
    ):
        for k in range(1, HELD + 1):
            effect = history[0 if k <= 3 else 1 if k < HELD else 2]
            now, later = first + k - 1, first + min(k, HELD - 1)
            _current(odds, target, now, later, np.exp(effect), np.exp(prepay), onward)
    for i, (cure, roll) in enumerate(zip(p.dpd30_cure, p.dpd30_roll, strict=True)):
        odds[DPD30 + i, :DEFAULT_OUT] = cure, 1, roll
        odds[DPD30 + i, PREPAID_OUT] = 0.4
        target[DPD30 + i, :DEFAULT_OUT] = (EVER_30, EVER_60)[i // 2], DPD30 + i // 2 * 2 + 1, DPD60
    for i, row in enumerate(zip(p.dpd60_cure, p.dpd60_improve, p.dpd60_roll, strict=True)):
        odds[DPD60 + i, [CURRENT_OUT, DPD30_OUT, DEFAULT_OUT]] = row
        odds[DPD60 + i, [DPD60_OUT, PREPAID_OUT]] = 1, 0.25
        target[DPD60 + i, :DEFAULT_OUT] = EVER_60, DPD30 + 2, DPD60 + 1
    return Chain(odds, target)


def _current(
    odds: Array, target: Array, now: int, stay: int, entry: float, prepay: float, onward: int
) -> None:
    odds[now, [CURRENT_OUT, DPD30_OUT, PREPAID_OUT]] = 1, entry, prepay
    target[now, [CURRENT_OUT, DPD30_OUT]] = stay, onward


def probabilities(chain: Chain, state: Array, indices: Odds) -> Array:
    """Return the probability of each of ``OUTCOMES`` in the next month, of performing loans, shape (n, 6).

    The odds of the loan's augmented state, times the loan's indices where these bear on the outcome, divided
    by their sum.

    Args:
        chain: see ``make_chain``.
        state: augmented states, shape (n,).
        indices: of each loan, shape (n, 1).

    >>> ones = np.ones((2, 1))
    >>> chances = probabilities(make_chain(HazardProcess()), np.array([NEVER, DPD60]), Odds(ones, ones, ones))
    >>> chances.sum(axis=1).round(6).tolist(), chances[:, DEFAULT_OUT].round(2).tolist()
    ([1.0, 1.0], [0.0, 0.44])
    """
    odds = chain.odds[state].astype(float)
    current, at_30, at_60 = state < DPD30, (state >= DPD30) & (state < DPD60), state >= DPD60
    odds[:, DPD30_OUT] *= np.where(current, indices.delinquency[:, 0], 1)
    odds[:, DPD60_OUT] *= np.where(at_30, indices.roll[:, 0], 1)
    odds[:, DEFAULT_OUT] *= np.where(at_60, indices.roll[:, 0], 1)
    odds[:, PREPAID_OUT] *= indices.prepayment[:, 0]
    out: Array = odds / odds.sum(axis=1, keepdims=True)
    return out
