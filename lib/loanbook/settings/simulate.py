"""Every parameter of the simulated book, with its unit."""

from typing import Literal

from pydantic import Field

from loanbook.settings.section import Section


class HiddenSettings(Section):
    """What moves a book and is on no tape, in log odds of current -> dpd30; with zeros nothing is hidden."""

    frailty: float = Field(
        0.0, ge=0, description="standard deviation of a month's shock to the factor that all loans share"
    )
    persistence: float = Field(
        0.98, ge=0, lt=1, description="share of the shared factor that stays from month to month"
    )
    loan_frailty: float = Field(
        0.0, ge=0, description="standard deviation between loans of what each keeps for life"
    )
    unrecorded_dti: float = Field(
        0.0, description="more log odds of an unrecorded DTI, per point of what the loan keeps"
    )
    delinquent_gap: float = Field(
        0.0, ge=0, le=0.5, description="more chance that a gap starts, at a loan-month past due"
    )


class SizeSettings(Section):
    """How large a book is, how risky, and what it hides."""

    loans: int = Field(ge=1, description="loans")
    months: int = Field(ge=30, description="months of tape")
    default_shift: float = Field(0.0, description="added to the log odds of current -> dpd30")
    full_truth: bool = Field(True, description="truth for every loan, else for the sample alone")
    curve_loans: int = Field(
        100, ge=0, description="loans of the sample with marginal curves and lifetime PD"
    )
    curve_every: Literal[3, 6, 12] = Field(
        3, description="months between the cohorts that have them, the last in December"
    )
    hidden: HiddenSettings = HiddenSettings()


class MacroProcess(Section):
    """The macro process; log house prices and their growth are in natural logarithms a month."""

    recession_entry: float = Field(1 / 72, description="monthly probability of entering a recession")
    recession_exit: float = Field(1 / 16, description="monthly probability of leaving it")
    recession_starts: tuple[float, ...] = Field(
        (0.20, 0.75), description="realised starts, shares of the tape"
    )
    recession_months: tuple[int, ...] = Field((18, 11), description="realised length of each, months")
    unemployment_start: float = Field(4.8, description="% at the history's start")
    unemployment_floor: float = Field(4.5, description="% to which it reverts outside recessions")
    unemployment_rise: float = Field(0.30, description="points a month in a recession")
    unemployment_reversion: float = Field(
        0.045, description="share of the gap closed a month outside recessions"
    )
    unemployment_noise: float = Field(0.05, description="points a month")
    hpi_growth: float = Field(0.0030, description="mean monthly log growth outside recessions")
    hpi_growth_recession: float = Field(-0.0120, description="mean monthly log growth in recessions")
    hpi_momentum: float = Field(0.85, description="share of last month's growth that stays")
    hpi_noise: float = Field(0.0006, description="standard deviation of growth, a month")
    rate_start: float = Field(6.2, description="% a year at the history's start")
    rate_mean: float = Field(4.6, description="% a year outside recessions")
    rate_fall_recession: float = Field(1.6, description="points that the mean falls in a recession")
    rate_reversion: float = Field(0.03, description="share of the gap closed a month")
    rate_noise: float = Field(0.10, description="points a month")
    region_persistence: float = Field(0.95, description="share of a state's own deviation that stays a month")
    region_unemployment_noise: float = Field(0.06, description="points a month")
    region_hpi_noise: float = Field(0.0020, description="log points a month")


class BookProcess(Section):
    """Who borrows, and when."""

    seasoned_months: int = Field(
        48, description="months before the tape from which loans are already on the book"
    )
    seasoned_weight: float = Field(0.5, description="their monthly volume relative to a month of the tape")
    origination_share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="share of the tape's months in which loans are made, always short of the last month: a "
        "loan's first line is of the month after; 0.78 makes a closed book that ages",
    )
    loose_months: int = Field(20, description="months of loosening underwriting before each recession")
    score_mean: float = Field(732.0, description="credit score, points")
    score_spread: float = Field(54.0, description="standard deviation of the score, points")
    score_loose: float = Field(18.0, description="points that the mean falls when underwriting is loosest")
    thin_file: float = Field(0.02, description="share without a score")
    ltv_missing: float = Field(0.001, description="share without a loan-to-value ratio")
    dti_missing: float = Field(0.025, description="share without a debt-to-income ratio")


class HazardProcess(Section):
    """Log odds a month; the package's docstring has the formulas."""

    delinquency: float = Field(-9.60, description="current -> dpd30 at score 720")
    delinquency_score: float = Field(-1.56, description="per 60 points of score")
    delinquency_bend: float = Field(0.09, description="per square of 60 points")
    score_decay_months: float = Field(140.0, description="age at which the score's effect is e times weaker")
    seasoning: float = Field(2.9, description="most that age adds, at the peak")
    seasoning_peak: float = Field(28.0, description="age at the peak, months")
    score_underwater: float = Field(1.0, description="share of the score's effect lost under water")
    underwater_at: float = Field(0.93, description="mtm_ltv at the middle of the kink")
    underwater_width: float = Field(0.04, description="mtm_ltv, width of the kink")
    underwater: float = Field(0.10, description="effect of being under water at normal unemployment")
    underwater_unemployment: float = Field(0.51, description="more, per point of unemployment above 5 %")
    unemployment_single: float = Field(0.12, description="per point above 5 %, one borrower")
    unemployment_joint: float = Field(0.02, description="per point above 5 %, two borrowers")
    investor_underwater: float = Field(1.30, description="more for an investor under water")
    investor: float = Field(-0.35, description="for an investor with equity")
    dti_cliff: float = Field(1.7, description="debt-to-income ratio beyond the cliff")
    dti_cliff_at: float = Field(42.0, description="DTI at the middle of the cliff, 1.2 points wide")
    layered_risk: float = Field(-0.85, description="per 60 points of score times 9 points of DTI above 35")
    dti_stress: float = Field(0.6, description="more, when unemployment exceeds 6.5 %")
    loan_size: float = Field(1.5, description="per square of the log of UPB over 220,000 dollars, at most 2")
    missed_incentive: float = Field(1.2, description="far above the market and not refinanced")
    missed_incentive_at: float = Field(1.1, description="points of incentive at the middle of that S-curve")
    cash_out_broker: float = Field(0.70, description="cash-out refinancing through a broker")
    young_first_time: float = Field(0.60, description="first-time buyer in the first 24 months")
    thin_file: float = Field(0.55, description="no credit score")
    prepayment: float = Field(-6.22, description="log odds at age 0, rate at the market")
    prepayment_ages: tuple[float, ...] = Field(
        (0.0, 17.0, 52.0, 120.0), description="knots of the ramp, months"
    )
    prepayment_ramp: tuple[float, ...] = Field((0.0, 1.35, 0.95, 0.57), description="log odds at the knots")
    incentive_at: float = Field(0.95, description="points of rate incentive at the middle of the S-curve")
    incentive_width: float = Field(0.22, description="points, width of the S-curve")
    incentive_lift: float = Field(17, description="times the odds at full incentive, less 1")
    burnout_months: float = Field(80.0, description="age at which the incentive's effect is e times weaker")
    locked_out: float = Field(0.85, description="share of prepayment lost under water")
    roll_unemployment: float = Field(0.10, description="roll to a worse state, per point above 5 %")
    roll_underwater: float = Field(0.9, description="roll to a worse state, under water")
    roll_score: float = Field(-0.15, description="roll to a worse state, per 60 points of score")
    removal: float = Field(0.00015, description="odds a month of leaving by repurchase or sale")
    history_30: tuple[float, float, float] = Field(
        (2.0, 1.1, 0.45),
        description="current -> dpd30, worst ever 30, last delinquent 1-3, 4-12, over 12 months ago",
    )
    history_60: tuple[float, float, float] = Field(
        (2.6, 1.7, 0.9), description="the same, worst ever 60 or more"
    )
    history_prepayment: tuple[float, float] = Field(
        (-0.3, -0.8), description="prepayment, worst ever 30, 60 or more"
    )
    dpd30_cure: tuple[float, float, float, float] = Field(
        (2.0, 0.75, 1.1, 0.5),
        description="odds of cure to staying: worst 30 first month, later; worst 60 first, later",
    )
    dpd30_roll: tuple[float, float, float, float] = Field(
        (1.3, 1.0, 1.5, 1.3),
        description="odds of dpd60 to staying, before the roll index; order as dpd30_cure",
    )
    dpd60_cure: tuple[float, float] = Field(
        (0.55, 0.35), description="odds of current to staying: first month, later"
    )
    dpd60_improve: tuple[float, float] = Field((0.45, 0.30), description="odds of dpd30 to staying")
    dpd60_roll: tuple[float, float] = Field(
        (1.8, 2.0), description="odds of default to staying, before the index"
    )


class DefaultProcess(Section):
    """What the tape shows after default, probabilities a month; the truth ends there."""

    reinstated: float = Field(0.030, description="back to current at 3 months delinquent")
    reinstated_decay: float = Field(0.06, description="fall of its logarithm a month")
    modified: float = Field(0.014, description="back to current by modification, from 4 months")
    prepaid: float = Field(0.006, description="paid off")
    short_sale: float = Field(0.014, description="short sale or charge-off, from 5 months")
    third_party_sale: float = Field(0.008, description="third-party sale, from 6 months")
    note_sale: float = Field(0.004, description="whole-loan sale, from 9 months")
    reo: float = Field(0.035, description="REO acquisition, from 7 months")
    removed: float = Field(0.002, description="repurchase or sale as reperforming")
    disposed: float = Field(0.15, description="disposition of REO")


class TapeSettings(Section):
    """What the tape does not show."""

    gap_start: float = Field(0.006, description="chance that a gap of 1 to 3 months starts at a loan-month")
    blank_status: float = Field(0.001, description="share of rows without a delinquency status")


class TruthSettings(Section):
    """How the truth is computed."""

    paths: int = Field(200, ge=200, description="macro paths behind the expected truth")
    sample_loans: int = Field(500, description="loans with the expected truth at every quarter")
    curve_months: int = Field(
        120, ge=12, description="most months of a marginal curve in the files; the lifetime PD has them all"
    )


SIZES = {
    "tiny": SizeSettings(loans=800, months=60, default_shift=1.3, curve_loans=40, curve_every=12),
    "demo": SizeSettings(loans=10_000, months=120),
    "frailty": SizeSettings(
        loans=10_000,
        months=120,
        hidden=HiddenSettings(frailty=0.12, loan_frailty=0.6, unrecorded_dti=1.2, delinquent_gap=0.05),
    ),
    "bench": SizeSettings(loans=200_000, months=120, full_truth=False, curve_every=12),
}


class SimulationSettings(Section):
    """The simulated book: the same settings and seed give the same bytes."""

    seed: int = Field(7, ge=0, description="seed of every random draw")
    first_month: str = Field(
        "2012-01", pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="first month of the tape"
    )
    sizes: dict[str, SizeSettings] = Field(default_factory=lambda: dict(SIZES), description="books by name")
    macro: MacroProcess = MacroProcess()
    book: BookProcess = BookProcess()
    hazards: HazardProcess = HazardProcess()
    defaults: DefaultProcess = DefaultProcess()
    tapes: TapeSettings = TapeSettings()
    truth: TruthSettings = TruthSettings()
