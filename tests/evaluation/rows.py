"""Held-out rows of a made-up book, whose true PDs are known."""

from datetime import date
from decimal import Decimal
from functools import cache

import numpy as np
import pandas as pd

from loanbook.evaluation.assess import Evaluation, assess
from loanbook.evaluation.sample import Sample
from loanbook.models.calibration import sigmoid
from loanbook.models.clustered import Floats
from loanbook.settings.evaluate import EvaluateSettings

MONTHS = (date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31))


def frame(loans: int, seed: int = 1, level: float = -2.0) -> tuple[pd.DataFrame, Floats]:
    """Return rows of a role, and the log odds that their labels were drawn with."""
    random = np.random.default_rng(seed)
    months = [pd.DataFrame({"loan_id": [f"L{k}" for k in range(loans)], "as_of_date": day}) for day in MONTHS]
    rows = pd.concat(months, ignore_index=True)
    odds, loan = random.normal(size=len(rows)) + level, np.arange(len(rows)) % max(1, loans)
    rows = rows.assign(
        source="tiny", borrower=rows["loan_id"], default_status="performing",
        state=np.where(odds > level + 1.5, "dpd30", "current"),
        upb=np.full(len(rows), Decimal("100.00"), object), weight=1.0,
        age=np.where(rows.index % 2, 7.0, 30.0),
        vintage=np.where(loan % 10 == 0, np.nan, 2018.0 + loan % 2),
        label=(random.random(len(rows)) < sigmoid(odds)).astype(np.float32),
    )  # fmt: skip
    return rows, odds


def made_up(loans: int = 600, role: str = "test", seed: int = 1) -> Sample:
    """Return a sample whose model knows more than its baseline."""
    rows, odds = frame(loans, seed)
    noise = np.random.default_rng(seed + 1).normal(size=len(rows))
    pds = {"model": sigmoid(odds + 0.2 * noise), "logistic": sigmoid(odds + noise)}
    return Sample(role, rows, pds, pds)


@cache
def assessed(loans: int) -> tuple[tuple[Sample, Sample], tuple[Evaluation, ...]]:
    """Return a test and a check sample, and what is found of them; tests only read these."""
    samples = (made_up(loans), made_up(loans // 2, "calibrate_check", 2))
    return samples, tuple(row for part in samples for row in assess(part, "fold0", EvaluateSettings()))
