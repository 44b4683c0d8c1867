"""The text beside the truth's files: what each column means and what it is given."""

from loanbook.settings.simulate import HiddenSettings, SimulationSettings, SizeSettings
from loanbook.simulate.ahead import HORIZON
from loanbook.simulate.truth_files import TEST_MONTHS

_README = """Truth of the simulated book: never an input of the pipeline.

part-*.parquet holds one row for each loan and month on the book, reported on the tape or not{scope}.

loan_id           as on the tapes
as_of_date        month end
state             true state: current, dpd30, dpd60, dpd90 (from three months on, until the exit or the
                  cure), reo, and the exits prepaid, matured, liquidated, removed
reported          whether the tape shows this month
p_<state>         probability of each state a month later, from the loan's state and terms and the macro
                  published by then (rate of the month, unemployment of the month before, house prices of
                  two months before); null on an exit. The tapes show no foreclosure: p_foreclosure is 0
pd_12m_*          probability of default (dpd90 entered) within 12 months
prepayment_12m_*  probability of prepayment within 12 months, before any default
pd_lifetime_*     probability of default within the months left to the contract's end, with prepayment
                  competing. For {curves}; null elsewhere

Each is given under three assumptions of the macro ahead:
*_realised        the path that came about. After the macro file's end it runs on by the same process, which
                  only pd_lifetime needs
*_expected        mean over {paths} macro paths simulated from that month on by the same process and shared by
                  all loans of the month; it knows the process's state in the month, the recession included.
                  Within 12 months for {expected}; null elsewhere
*_frozen          what was published in that month stays as it is; age, balance and delinquency move on.
                  No forecast: what a projection that holds the macro still can come to

All are of a loan below 90 days past due, in probation after a cure or not; null in default. Default absorbs.
A loan removed without default has a null label, so all are given that the loan is not removed first:
D / (1 - R) and P / (1 - R), with D, P and R the probabilities that default, prepayment and removal come
first. A delinquent loan may stay on the book beyond its contract's end: pd_12m counts its default then,
pd_lifetime does not, and is null where no month is left.

curve-*.parquet holds the marginal probabilities behind pd_lifetime, one row for each loan, cohort and month
ahead, for {curves}, up to the contract's end and {curve_months} months at most.

loan_id, as_of_date  as above
month                1 is the month after as_of_date
default_*, prepayment_*, removed_*, matured_*
                     probability that the loan leaves the performing book in this month and in this way, seen
                     from as_of_date, expected and frozen. They are not given anything: summed over all months
                     and ways they make 1 less what is still on the book. With the sums D, P and R of the
                     first 12 months pd_12m is D / (1 - R), prepayment_12m is P / (1 - R). A hazard given no
                     removal is default / (1 - the sum of all ways before - removed)

manifest.json says which book this is of: a digest of the settings, the seed, and the SHA-256 of each
origination tape, which deliveries has too.
{hidden}"""

_HIDDEN = """
This book hides what moves it. On no tape and in no macro file are, in the log odds of falling behind,
- a factor that all loans share: {persistence} of it stays from month to month, and a month's shock has a
  standard deviation of {frailty};
- a factor that each loan keeps for life, with a standard deviation of {loan_frailty} between loans.
A DTI is missing the likelier, the riskier the loan's own factor makes it ({unrecorded_dti} log odds a point),
and a gap in reporting starts likelier in a month past due (by {delinquent_gap}).
The truth knows the loan's own factor, and the shared one of the month. Ahead, *_realised takes the shared
factor as it came about, *_expected paths of it simulated from the month's value, one beside each macro path,
and *_frozen keeps the month's value. No model can see any of it: even the best one stays short of this truth.
"""


def readme(settings: SimulationSettings, size: SizeSettings) -> str:
    """Return the text that explains the files.

    >>> from loanbook.settings.simulate import SIZES
    >>> [("hides" in readme(SimulationSettings(), SIZES[name])) for name in ("demo", "frailty")]
    [False, True]
    """
    sample = f"a fixed random sample of {settings.truth.sample_loans} loans"
    every = {3: "the quarter ends", 6: "the half-year ends", 12: "the year ends"}[size.curve_every]
    indent = f"\n{' ' * 18}"
    test = (
        f" and, for every loan,{indent}the {TEST_MONTHS + 1} months that end {HORIZON} months before the last"
    )
    return _README.format(
        scope="" if size.full_truth else f",\nfor {sample}",
        paths=settings.truth.paths,
        expected=f"the quarter ends of{indent}{sample}" + (test if size.full_truth else ""),
        curves=f"{every} of {min(size.curve_loans, settings.truth.sample_loans)} of the sample's loans",
        curve_months=settings.truth.curve_months,
        hidden=_HIDDEN.format(**size.hidden.model_dump()) if size.hidden != HiddenSettings() else "",
    )
