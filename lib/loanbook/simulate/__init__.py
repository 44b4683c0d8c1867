"""A simulated loan book whose default probabilities are known.

``simulate_tapes`` (job.py) writes tapes in Freddie Mac's 32/32 layout, a macro file and, beside them, the
truth. Every parameter is in ``settings/simulate.py`` with its unit; every draw's generator is seeded by
(seed, purpose).

Macro (macro.py), monthly, for the country and 17 states s; a prime marks the next month:

    unemployment  u' = u + rise in a recession, else u + reversion * (floor - u); plus noise
    house prices  g' = momentum * g + (1 - momentum) * drift(recession) + noise;  log H' = log H + g'
    mortgage rate r' = r + reversion * (mean(recession) - r) + noise
    in a state    u_s = 4.5 + offset_s + beta_s * (u - 4.5) + AR(1);  log H_s = beta_s * log H + AR(1)

The realised path has two scheduled recessions, one in the development months and one in the test months.
The paths behind the expected truth start from the realised month and enter and leave recessions at random.

Hazards (hazards.py) are odds relative to staying, from what is published in month t: u of t-1, H of t-2 and
r of t.
With z = (score - 720) / 60, age in months, S(x) = 1 / (1 + exp(-x)), gap = max(u_s - 5, 0),
under = S((mtm_ltv - 0.93) / 0.04) and incentive = contract rate - r:

    current -> dpd30  log odds = level + history + hump(age) + (a z + b z^2) exp(-age / 140) (1 - under)
                      + first-time buyer under 24 months + unemployment(borrowers) * gap
                      + S((incentive - 1.1) * 8) * missed_incentive
                      + under * (base + investor + slope * gap)
                      + S((dti - 42) / 1.2) * (cliff + stress * (gap - 1.5 clipped to 0..1))
                      + layered_risk * z * (dti - 35) / 9 + loan_size * log(upb / 220,000)^2
    prepayment        odds = exp(ramp(age)) (1 - 0.85 under)
                      * (1 + lift S((incentive - 0.95) / 0.22) exp(-age / 80))
    roll              factor on the odds of a worse state = exp(score + 0.1 gap + under)

``history`` is the effect of the worst delinquency so far and of the months since the last. chain.py tabulates
it for each augmented state: the state, whether it is the first month in it, the worst delinquency so far and
the months since. Most of these effects bend or interact, so that a linear model of the same inputs misses
them; nothing is hidden: an unrecorded score, DTI or LTV acts as a value of its own. Underwriting loosens
ahead of each recession; vintages differ for that reason and by the macro that they meet. Loans are made until
the tape ends, as in a live book (book.py).

A second book, ``frailty``, hides what moves it: to the log odds of delinquency come a factor that all loans
share (frailty.py) and one that each loan keeps; DTIs are missing and months unreported where risk is high.

The truth (truth.py, ahead.py, recursion.py) moves the augmented state on, default absorbing: twelve months,
or to the end of the contract, on paths realised, expected and frozen (paths.py). On the tape a default cures,
is modified, or leads to a sale, REO or removal (after_default.py).
"""
