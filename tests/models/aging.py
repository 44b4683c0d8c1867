"""A made-up lender's loan-months, and the same some years later."""

import numpy as np
import pandas as pd

NUMBERS = ["age", "observed", "longest_run", "seen_12m", "late", "score"]  # the whole ones
OTHERS = ["income", *(f"ratio_{number}" for number in range(12))]


def aging_book(loans: int, seed: int, aged: int = 0) -> pd.DataFrame:
    """Return up to 24 months of loans that were made within 48, all ``aged`` months older than at first.

    ``_loan`` and ``_month`` are the key; a loan in 25 is late in a month, hardly ever for long.
    """
    rng = np.random.default_rng(seed)
    made, left = rng.integers(-24, 22, loans), rng.geometric(1 / 40, loans)
    rows = [
        (loan, month)
        for loan in range(loans)
        for month in range(max(0, made[loan]), min(24, max(0, made[loan]) + left[loan] + 1))
    ]
    loan, month = np.array(rows).T
    observed = month - np.maximum(made, 0)[loan] + aged
    frame = pd.DataFrame({"_loan": loan, "_month": month, "age": month - made[loan] + aged})
    frame = frame.assign(
        observed=observed,
        seen_12m=np.minimum(observed + 1, 12),
        late=np.where(rng.random(len(loan)) < 0.04, rng.integers(1, 4, len(loan)), 0),
        score=rng.normal(720, 50, loans).round()[loan],
        income=np.exp(rng.normal(10, 1, loans))[loan],
        **{name: rng.normal(size=loans)[loan] for name in OTHERS[1:7]},
        **{name: rng.exponential(size=len(loan)) for name in OTHERS[7:]},
    )
    began = frame["late"].gt(0).groupby(frame["_loan"]).cumsum()
    run = frame.groupby(["_loan", began]).cumcount() + np.where(began == 0, aged, 0)
    return frame.assign(longest_run=run.groupby(frame["_loan"]).cummax()).astype(
        dict.fromkeys(NUMBERS, float)
    )
