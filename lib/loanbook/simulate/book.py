"""Loans at origination: who borrows, how much and on what terms."""

from dataclasses import dataclass, fields, replace

import numpy as np

from loanbook.settings.simulate import BookProcess, HiddenSettings, SimulationSettings
from loanbook.simulate.draws import Array, generator, pick
from loanbook.simulate.frailty import NOTHING_HIDDEN
from loanbook.simulate.macro import HPI_LAG, Macro
from loanbook.simulate.regions import REGIONS

OCCUPANCIES = ("P", "I", "S", "9")
PURPOSES = ("P", "C", "N", "9")
CHANNELS = ("R", "B", "C", "T", "9")
PROPERTIES = ("SF", "PU", "CO", "MH", "CP", "99")
TERMS = np.array([360, 240, 180, 120], dtype=np.int16)
INVESTOR = OCCUPANCIES.index("I")
PURCHASE, CASH_OUT = PURPOSES.index("P"), PURPOSES.index("C")
BROKER = CHANNELS.index("B")
LTV_IF_UNKNOWN = 80.0


@dataclass(frozen=True)
class Loans:
    """Loans in the order of their origination, one array a field; NaN where the lender recorded no value.

    ``origination`` is in tape months (negative before the tape), ``rate`` and ratios in %, money in dollars.
    """

    origination: Array
    region: Array
    zip_index: Array
    score: Array
    ltv: Array
    cltv: Array
    dti: Array
    rate: Array
    upb: Array
    term: Array
    purpose: Array
    occupancy: Array
    channel: Array
    property_type: Array
    first_time: Array  # 1 yes, 0 no, 9 unknown
    borrowers: Array  # 1, 2, 99 unknown
    insurance: Array  # mortgage insurance, %; 999 unknown
    extra: Array  # uniform draws for the fields that nothing depends on, (n, 5)
    frailty: Array  # log odds of current -> dpd30 that the loan keeps and nothing shows

    def __len__(self) -> int:
        return len(self.origination)

    def take(self, rows: "Array | slice") -> "Loans":
        """Return some of the loans."""
        return Loans(*(getattr(self, field.name)[rows] for field in fields(self)))

    @property
    def first_month(self) -> Array:
        """Return each loan's first month on the tape: the one after its origination, or the tape's first.

        >>> Loans(*[np.array([-5, 3])] * 19).first_month.tolist()
        [0, 4]
        """
        return np.maximum(self.origination + 1, 0)


def looseness(settings: SimulationSettings, months: int, origination: Array) -> Array:
    """Return how loose underwriting is in a month: 0, rising to 1 in the month before a recession.

    Args:
        settings: of the simulation.
        months: length of the tape.
        origination: tape months, shape (n,).

    >>> settings = SimulationSettings()  # the first recession starts after 20 % of the tape
    >>> looseness(settings, 100, np.array([-10, 0, 19, 20])).round(2).tolist()
    [0.0, 0.43, 1.0, 0.0]
    """
    out = np.zeros(len(origination))
    for start in settings.macro.recession_starts:
        ahead = round(start * months) - origination
        inside = (ahead > 0) & (ahead <= settings.book.loose_months)
        out = np.where(inside, 1 - 0.6 * (ahead - 1) / settings.book.loose_months, out)
    return out


def make_book(
    settings: SimulationSettings,
    macro: Macro,
    loans: int,
    months: int,
    seed: int,
    hidden: HiddenSettings = NOTHING_HIDDEN,
) -> Loans:
    """Draw ``loans`` loans, most of them made in the tape's months, the rest already seasoned when it begins.

    None is made in the tape's last month: its first line would be of the month after.

    Args:
        settings: of the simulation.
        macro: the realised path, by which rates are quoted.
        loans: how many.
        months: length of the tape.
        seed: of every draw.
        hidden: what moves the book and is on no tape.
    """
    p, rng = settings.book, generator(seed, "book")
    end = min(int(p.origination_share * months), months - 1)
    calendar = np.arange(-p.seasoned_months, end)
    weights = np.where(calendar < 0, p.seasoned_weight, 1.0) * rng.lognormal(0, 0.1, len(calendar))
    origination = np.sort(rng.choice(calendar, loans, p=weights / weights.sum())).astype(np.int16)
    loose = looseness(settings, months, origination)
    frailty = hidden.loan_frailty * generator(seed, "loan frailty").standard_normal(loans)
    unrecorded = unrecorded_dti(p.dti_missing, hidden.unrecorded_dti * frailty)
    made = _underwrite(p, macro, origination, loose, unrecorded, rng)
    return replace(made, frailty=frailty)


def unrecorded_dti(share: float, more: Array) -> Array:
    """Return each loan's chance that its debt-to-income ratio is not recorded.

    Args:
        share: the chance of a loan without anything hidden.
        more: log odds added to it, shape (n,).

    >>> unrecorded_dti(0.02, np.array([0.0, 1.0])).round(3).tolist()
    [0.02, 0.053]
    """
    odds = share * np.exp(more)
    out: Array = odds / (1 - share + odds)
    return out


def _underwrite(
    p: BookProcess,
    macro: Macro,
    origination: Array,
    loose: Array,
    unrecorded: Array,
    rng: np.random.Generator,
) -> Loans:
    n, one = len(origination), np.ones(len(origination))
    region = pick(rng, n, np.array([r.share for r in REGIONS]))
    channels = [0.52 - 0.2 * loose, 0.16 + 0.2 * loose, 0.30 * one, 0.01 * one, 0.01 * one]
    channel = pick(rng, n, np.stack(channels, axis=1))
    purpose = pick(rng, n, np.array([0.47, 0.25, 0.279, 0.001]))
    uses = [0.878 - 0.06 * loose, 0.07 + 0.06 * loose, 0.05 * one, 0.002 * one]
    occupancy = pick(rng, n, np.stack(uses, axis=1))
    term = TERMS[pick(rng, n, np.array([0.76, 0.07, 0.13, 0.04]))]
    mean = p.score_mean - p.score_loose * loose + 6 * (occupancy == INVESTOR)
    score = np.clip(np.round(mean + p.score_spread * rng.standard_normal(n)), 470, 832)
    ltv = _ltv(rng, purpose, score, loose)
    second = rng.random(n) < 0.06 + 0.12 * loose
    cltv = np.where(second, np.minimum(ltv + rng.integers(4, 21, n), 105), ltv)
    dti = np.clip(np.round(34 + 2 * loose - 0.01 * (score - 720) + 9 * rng.standard_normal(n)), 6, 65)
    rate = _rate(rng, macro, origination, term, score, ltv, occupancy)
    upb = _upb(rng, region, ltv, purpose)
    chances = [p.thin_file * one, unrecorded, p.ltv_missing * one]
    thin, unknown_dti, unknown_ltv = rng.random((3, n)) < chances
    return Loans(
        origination=origination,
        region=region,
        zip_index=(rng.random(n) * np.array([len(r.zip3) for r in REGIONS])[region]).astype(np.int8),
        score=np.where(thin, np.nan, score),
        ltv=np.where(unknown_ltv, np.nan, ltv),
        cltv=np.where(unknown_ltv, np.nan, cltv),
        dti=np.where(unknown_dti, np.nan, dti),
        rate=rate,
        upb=upb,
        term=term,
        purpose=purpose,
        occupancy=occupancy,
        channel=channel,
        property_type=pick(rng, n, np.array([0.62, 0.24, 0.10, 0.025, 0.01, 0.005])),
        first_time=_first_time(rng, purpose, occupancy),
        borrowers=np.array([1, 2, 99])[pick(rng, n, np.array([0.46, 0.538, 0.002]))],
        insurance=_insurance(rng, ltv),
        extra=rng.random((n, 5)),
        frailty=0 * one,
    )


def _ltv(rng: np.random.Generator, purpose: Array, score: Array, loose: Array) -> Array:
    n = len(purpose)
    high = np.clip(0.36 + 0.14 * loose - 0.0006 * (score - 720), 0.05, 0.9)
    purchase = np.where(
        rng.random(n) < high,
        np.array([85.0, 90.0, 95.0, 97.0])[pick(rng, n, np.array([0.12, 0.38, 0.40, 0.10]))],
        np.where(rng.random(n) < 0.55, 80.0, np.round(rng.uniform(35, 79, n))),
    )
    refinance = np.round(np.clip(rng.beta(4.5, 2.2, n) * 100 + 4 * loose, 15, 95))
    capped = np.where(purpose == CASH_OUT, np.minimum(refinance, 85), refinance)
    return np.where(purpose == PURCHASE, purchase, capped)


def _rate(
    rng: np.random.Generator,
    macro: Macro,
    origination: Array,
    term: Array,
    score: Array,
    ltv: Array,
    occupancy: Array,
) -> Array:
    market = macro.rate[origination + macro.lead]
    risk = 0.25 * np.maximum(720 - score, 0) / 60 + 0.15 * (ltv > 80) + 0.35 * (occupancy == INVESTOR)
    quote = market + 0.05 + risk - 0.6 * (term <= 180) + 0.22 * rng.standard_normal(len(term))
    out: Array = np.maximum(np.round(quote * 8) / 8, 1.5)
    return out


def _upb(rng: np.random.Generator, region: Array, ltv: Array, purpose: Array) -> Array:
    price = np.array([r.price for r in REGIONS])[region]
    spread = rng.lognormal(-0.1, 0.45, len(ltv)) * (1 - 0.1 * (purpose != PURCHASE))
    dollars = 265_000 * price * (ltv / 80) ** 0.7 * spread
    out: Array = np.clip(np.round(dollars / 1000) * 1000, 20_000, 970_000)
    return out


def _first_time(rng: np.random.Generator, purpose: Array, occupancy: Array) -> Array:
    draws = rng.random((2, len(purpose)))
    yes = (purpose == PURCHASE) & (occupancy != INVESTOR) & (draws[0] < 0.38)
    return np.where(draws[1] < 0.01, 9, yes).astype(np.int8)


def _insurance(rng: np.random.Generator, ltv: Array) -> Array:
    insured = np.select([ltv > 95, ltv > 90, ltv > 85, ltv > 80], [35, 30, 25, 12], 0)
    return np.where(rng.random(len(ltv)) < 0.002, 999, insured)


def index_value(loans: Loans, macro: Macro) -> Array:
    """Return the property's value per point of its state's house price index, dollars, at origination.

    Times the index of a later month it is the property's value then. A loan without a recorded LTV is valued
    at ``LTV_IF_UNKNOWN``, so that the process uses nothing that the tape hides.
    """
    known = np.where(np.isnan(loans.ltv), LTV_IF_UNKNOWN, loans.ltv)
    hpi = macro.hpi[loans.origination + macro.lead - HPI_LAG, loans.region]
    out: Array = loans.upb / (known / 100) / hpi
    return out
