"""The hazards: the odds of a loan's next month from what is observable, one function for tapes and truth."""

from dataclasses import dataclass, fields

import numpy as np

from loanbook.settings.simulate import HazardProcess
from loanbook.simulate.book import BROKER, CASH_OUT, INVESTOR, Loans
from loanbook.simulate.draws import Array


@dataclass(frozen=True)
class Traits:
    """What the hazards take from a loan's terms, one column vector a field (n, 1)."""

    level: Array  # log odds of delinquency that do not change, the loan's frailty among them
    score: Array  # log odds of delinquency by score, weakening with age
    young: Array  # log odds in the first 24 months
    unemployment: Array  # per point of unemployment above 5 %
    stress: Array  # when unemployment exceeds 6.5 %
    underwater: Array
    underwater_unemployment: Array
    roll: Array
    prepayment: Array  # log odds
    incentive: Array  # share of the incentive's lift that the borrower can take

    def take(self, rows: "Array | slice") -> "Traits":
        """Return some of the loans."""
        return Traits(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class Drivers:
    """What moves: age in months (n, 1); the rest (n, P) or (n, 1), on P macro paths, as published by then.

    ``mtm_ltv`` is a share, ``unemployment`` and ``incentive`` (contract less market rate) are in points;
    ``frailty``, in log odds, is shared by all loans: (1, P).
    """

    age: Array
    mtm_ltv: Array
    unemployment: Array
    incentive: Array
    frailty: Array


@dataclass(frozen=True)
class Odds:
    """The three indices of a loan-month: odds of delinquency and prepayment, and the factor on rolling on."""

    delinquency: Array
    prepayment: Array
    roll: Array


def traits(p: HazardProcess, loans: Loans, shift: float) -> Traits:
    """Return what the hazards take from the loans' terms; the package's docstring has the formulas.

    Args:
        p: the process's parameters.
        loans: n loans.
        shift: added to the log odds of delinquency.
    """
    thin = np.isnan(loans.score)
    z = np.where(thin, -0.2, (loans.score - 720) / 60)
    dti = np.where(np.isnan(loans.dti), 36.0, loans.dti)
    investor = loans.occupancy == INVESTOR
    single = loans.borrowers == 1
    cliff = sigmoid((dti - p.dti_cliff_at) / 1.2)
    size = np.minimum(p.loan_size * np.log(loans.upb / 220_000) ** 2, 2)
    risky_channel = (loans.purpose == CASH_OUT) & (loans.channel == BROKER)
    columns = Traits(
        level=p.delinquency
        + shift
        + p.thin_file * thin
        + p.investor * investor
        + p.cash_out_broker * risky_channel
        + p.dti_cliff * cliff
        + p.layered_risk * np.clip(z, -2, 2) * np.clip((dti - 35) / 9, -2, 2)
        + size
        + loans.frailty,
        score=p.delinquency_score * z + p.delinquency_bend * z * z,
        young=p.young_first_time * (loans.first_time == 1),
        unemployment=np.where(single, p.unemployment_single, p.unemployment_joint),
        stress=p.dti_stress * cliff,
        underwater=p.underwater + p.investor_underwater * investor,
        underwater_unemployment=p.underwater_unemployment * np.where(z < 0, 1.0, 0.6),
        roll=p.roll_score * z,
        prepayment=p.prepayment + 0.15 * np.log(loans.upb / 200_000),
        incentive=np.clip(0.9 + 0.25 * z, 0.25, 1.25),
    )
    return Traits(*(np.asarray(getattr(columns, f.name), dtype=np.float32)[:, None] for f in fields(columns)))


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)), a step from 0 to 1 that is half way at 0.

    >>> sigmoid(np.array([-50.0, 0.0, 50.0])).round(6).tolist()
    [0.0, 0.5, 1.0]
    """
    out: Array = 1 / (1 + np.exp(-x))
    return out


def odds(p: HazardProcess, t: Traits, d: Drivers) -> Odds:
    """Return the indices of each loan-month, shape (n, P); the package's docstring has the formulas.

    Args:
        p: the process's parameters.
        t: of n loans.
        d: of the same loans, on P macro paths.
    """
    f32 = np.float32
    gap = np.maximum(d.unemployment - f32(5), f32(0))
    stressed = np.clip(gap - f32(1.5), f32(0), f32(1))
    under = sigmoid((d.mtm_ltv - f32(p.underwater_at)) * f32(1 / p.underwater_width))
    turn = d.age / p.seasoning_peak
    seasoning = p.seasoning * (turn * np.exp(1 - turn)) ** 2
    aged = t.level + t.young * (d.age < 24) + seasoning
    score = (t.score * np.exp(-d.age / p.score_decay_months)).astype(f32)
    delinquency = np.exp(
        aged.astype(f32)
        + score * (1 - f32(p.score_underwater) * under)
        + f32(p.missed_incentive) * sigmoid((d.incentive - f32(p.missed_incentive_at)) * f32(8))
        + t.unemployment * gap
        + t.stress * stressed
        + under * (t.underwater + t.underwater_unemployment * gap)
        + d.frailty
    )
    lift = p.incentive_lift * t.incentive * np.exp(-d.age / p.burnout_months)
    curve = sigmoid((d.incentive - f32(p.incentive_at)) * f32(1 / p.incentive_width))
    base = np.exp(t.prepayment + np.interp(d.age, p.prepayment_ages, p.prepayment_ramp))
    prepayment = base.astype(f32) * (1 + lift.astype(f32) * curve) * (1 - f32(p.locked_out) * under)
    roll = np.exp(t.roll + f32(p.roll_unemployment) * gap + f32(p.roll_underwater) * under)
    return Odds(delinquency, prepayment, roll)
