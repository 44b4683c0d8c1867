"""The book month by month: every loan's state, balance and contract from its first to its last tape month."""

from dataclasses import dataclass, fields

import numpy as np

from loanbook.settings.simulate import SimulationSettings
from loanbook.simulate import after_default as ending
from loanbook.simulate import chain as ch
from loanbook.simulate.book import Loans, index_value
from loanbook.simulate.contract import Contracts
from loanbook.simulate.draws import Array, generator
from loanbook.simulate.hazards import Drivers, odds, traits
from loanbook.simulate.macro import HPI_LAG, UNEMPLOYMENT_LAG, Macro

EXITS = ("", "01", "02", "03", "06", "09", "15", "16", "96")
PAID, THIRD_PARTY, SHORT_SALE, REPURCHASE, DISPOSED, NOTE_SALE, REPERFORMING, DEFECT = range(1, 9)


@dataclass(frozen=True)
class Panel:
    """One row for each loan and month on the book, by loan, then month; the last row may be an exit.

    ``loan`` indexes the loans given. Balances are dollars: ``balance`` is the scheduled interest-bearing one
    that the hazards use, ``upb`` the tape's, with missed payments and the deferred part.
    """

    loan: Array
    month: Array
    state: Array
    months_delinquent: Array
    exit: Array  # index into EXITS, 0 while on the book
    age: Array
    remaining: Array
    rate: Array
    balance: Array
    deferred: Array
    upb: Array
    modified: Array  # 0 never, 1 this month, 2 earlier

    def __len__(self) -> int:
        return len(self.loan)

    def take(self, rows: "Array | slice") -> "Panel":
        """Return some of the rows."""
        return Panel(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass
class _Status:
    """Where each loan is now."""

    state: Array
    delinquent: Array
    exit: Array
    modified: Array
    upb: Array
    alive: Array


class Simulation:
    """A block of loans taken through the tape's months."""

    def __init__(
        self, settings: SimulationSettings, macro: Macro, loans: Loans, months: int, shift: float
    ) -> None:
        self.settings, self.macro, self.loans, self.months = settings, macro, loans, months
        self.chain = ch.make_chain(settings.hazards)
        self.traits = traits(settings.hazards, loans, shift)
        self.value = index_value(loans, macro)
        self.contracts = Contracts.of(loans)
        n = len(loans)
        self.now = _Status(
            state=np.full(n, ch.NEVER, np.int8),
            delinquent=np.zeros(n, np.int16),
            exit=np.zeros(n, np.int8),
            modified=np.zeros(n, np.int8),
            upb=loans.upb.astype(float),
            alive=np.zeros(n, dtype=bool),
        )

    def run(self, rng: np.random.Generator) -> Panel:
        """Return the whole panel; consumes the simulation."""
        records = []
        for month in range(self.months):
            self.now.alive |= self.loans.first_month == month
            rows = np.flatnonzero(self.now.alive)
            records.append(self._record(rows, month))
            self.now.alive[self.now.exit > 0] = False
            if month < self.months - 1:
                self._advance(np.flatnonzero(self.now.alive), month, rng)
        return _by_loan(records, self.loans.first_month)

    def _record(self, rows: Array, month: int) -> Panel:
        now, contracts = self.now, self.contracts
        age = month - self.loans.origination[rows] - 1
        left = now.exit[rows] > 0
        paid_until = np.maximum(age - now.delinquent[rows], contracts.start[rows])
        upb = contracts.scheduled(rows, paid_until) + contracts.deferred[rows]
        now.upb[rows] = np.where(left, now.upb[rows], upb)
        return Panel(
            loan=rows.astype(np.int32),
            month=np.full(len(rows), month, np.int16),
            state=now.state[rows],
            months_delinquent=now.delinquent[rows],
            exit=now.exit[rows],
            age=age.astype(np.int16),
            remaining=contracts.remaining(rows, age).astype(np.int16),
            rate=contracts.rate[rows],
            balance=contracts.scheduled(rows, age),
            deferred=contracts.deferred[rows],
            upb=now.upb[rows],
            modified=now.modified[rows],
        )

    def _advance(self, rows: Array, month: int, rng: np.random.Generator) -> None:
        draws = rng.random((3, len(rows)))
        self.now.modified[rows[self.now.modified[rows] == 1]] = 2
        performing = self.now.state[rows] < ch.DEFAULTED
        self._perform(rows[performing], month, draws[:, performing])
        self._after_default(rows[~performing], month, draws[:, ~performing])

    def _drivers(self, rows: Array, month: int) -> Drivers:
        age = (month - self.loans.origination[rows] - 1)[:, None]
        balance = self.contracts.scheduled(rows, age[:, 0]) + self.contracts.deferred[rows]
        return realised_drivers(
            self.macro,
            self.loans.region[rows],
            month,
            age,
            balance / self.value[rows],
            self.contracts.rate[rows],
        )

    def _perform(self, rows: Array, month: int, draws: Array) -> None:
        now = self.now
        drivers = self._drivers(rows, month)
        indices = odds(self.settings.hazards, self.traits.take(rows), drivers)
        chances = ch.probabilities(self.chain, now.state[rows], indices)
        outcome = (draws[0][:, None] > np.cumsum(chances, axis=1)[:, :-1]).sum(axis=1)
        state = self.chain.target[now.state[rows], outcome]
        last = self.contracts.remaining(rows, drivers.age[:, 0] + 1) == 0
        state = np.where(last & (outcome == ch.CURRENT_OUT), ch.MATURED, state)
        gone = state > ch.REO
        now.delinquent[rows] = np.where(gone, now.delinquent[rows], ch.months_delinquent(state))
        repurchased = np.where(draws[1] < 0.7, REPURCHASE, DEFECT)
        now.exit[rows] = np.where(state == ch.REMOVED, repurchased, np.where(gone, PAID, 0))
        now.state[rows] = state

    def _after_default(self, rows: Array, month: int, draws: Array) -> None:
        now = self.now
        underwater = self._drivers(rows, month).mtm_ltv[:, 0] > 1
        reo = now.state[rows] == ch.REO
        chances = ending.ending_probabilities(self.settings.defaults, now.delinquent[rows], underwater, reo)
        outcome = (draws[0][:, None] > np.cumsum(chances, axis=1)[:, :-1]).sum(axis=1)
        self._modify(rows[outcome == ending.MODIFIED], month, draws[2][outcome == ending.MODIFIED])
        sold = np.where(draws[1] < 0.4, REPERFORMING, np.where(draws[1] < 0.8, REPURCHASE, DEFECT))
        now.exit[rows] = np.where(outcome == ending.REMOVED_END, sold, ENDING_EXIT[outcome])
        cured = (outcome == ending.REINSTATED) | (outcome == ending.MODIFIED)
        stays = (outcome == ending.STAYS) | (outcome == ending.TO_REO)
        now.delinquent[rows] = np.where(cured, 0, now.delinquent[rows] + stays)
        now.state[rows] = ENDING_STATE[outcome]
        now.state[rows[reo & (outcome == ending.STAYS)]] = ch.REO

    def _modify(self, rows: Array, month: int, draws: Array) -> None:
        contracts = self.contracts
        age = month - self.loans.origination[rows]
        total = self.now.upb[rows] * 1.03  # missed interest is capitalised
        deferred = np.where(draws < 0.3, np.round(total * 0.12, 2), 0.0)
        market = self.macro.rate[month + self.macro.lead]
        contracts.rate[rows] = np.maximum(np.minimum(contracts.rate[rows], np.round(market * 8) / 8), 2.0)
        contracts.interest_bearing[rows], contracts.deferred[rows] = total - deferred, deferred
        contracts.term[rows], contracts.start[rows] = np.where(draws > 0.6, 360, 480), age
        self.now.modified[rows] = 1


ENDING_STATE = np.full(ending.ENDINGS, ch.LIQUIDATED, dtype=np.int8)
ENDING_STATE[[ending.STAYS, ending.REINSTATED, ending.MODIFIED]] = ch.DEFAULTED, ch.EVER_60, ch.EVER_60
ENDING_STATE[[ending.PREPAID_END, ending.TO_REO, ending.REMOVED_END]] = ch.PREPAID, ch.REO, ch.REMOVED
ENDING_EXIT = np.zeros(ending.ENDINGS, dtype=np.int8)
ENDING_EXIT[[ending.PREPAID_END, ending.SHORT_SALE, ending.THIRD_PARTY]] = PAID, SHORT_SALE, THIRD_PARTY
ENDING_EXIT[[ending.NOTE_SALE, ending.DISPOSED]] = NOTE_SALE, DISPOSED


def realised_drivers(
    macro: Macro, region: Array, month: int, age: Array, points: Array, rate: Array
) -> Drivers:
    """Return what drives the hazards in a tape month, as published by then.

    Args:
        macro: the realised path.
        region: index of the loans' states, (n,).
        month: the tape month.
        age: months on book, (n, 1).
        points: balance divided by the property's value per index point, (n,).
        rate: contract rate, % a year, (n,).
    """
    m = month + macro.lead
    return Drivers(
        age=age,
        mtm_ltv=(points / macro.hpi[m - HPI_LAG, region]).astype(np.float32)[:, None],
        unemployment=macro.unemployment[m - UNEMPLOYMENT_LAG, region].astype(np.float32)[:, None],
        incentive=(rate - macro.rate[m]).astype(np.float32)[:, None],
        frailty=macro.frailty.realised[m].astype(np.float32)[None, None],
    )


def mtm_ltv(macro: Macro, loans: Loans, panel: Panel) -> Array:
    """Return the marked-to-market LTV of each row: its balance over the property's value, as a share.

    The value is that by the index published by the row's month, which is two months old.
    """
    hpi = macro.hpi[panel.month + macro.lead - HPI_LAG, loans.region[panel.loan]]
    out: Array = (panel.balance + panel.deferred) / (index_value(loans, macro)[panel.loan] * hpi)
    return out


def simulate_panel(
    settings: SimulationSettings, macro: Macro, loans: Loans, months: int, shift: float, seed: int, block: int
) -> Panel:
    """Return the panel of a block of loans.

    Args:
        settings: of the simulation.
        macro: the realised path.
        loans: of the block.
        months: length of the tape.
        shift: added to the log odds of delinquency.
        seed: of every draw.
        block: its number; the draws follow from it and the seed, so that blocks may be made in any order.
    """
    return Simulation(settings, macro, loans, months, shift).run(generator(seed, "months", block))


def _by_loan(records: list[Panel], first_month: Array) -> Panel:
    whole = Panel(*(np.concatenate([getattr(r, f.name) for r in records]) for f in fields(Panel)))
    length = np.bincount(whole.loan, minlength=len(first_month))
    start = np.concatenate([[0], np.cumsum(length)[:-1]])
    place = start[whole.loan] + whole.month - first_month[whole.loan]
    order = np.empty(len(whole), dtype=np.int64)
    order[place] = np.arange(len(whole))
    return whole.take(order)
