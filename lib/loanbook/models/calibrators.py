"""How each method of calibration is fitted, and what it needs."""

import numpy.typing as npt

from loanbook.models.logistic_fit import fit_on_logit


def fit_platt(
    pd_raw: npt.ArrayLike, label: npt.ArrayLike, weight: npt.ArrayLike
) -> tuple[float, float] | None:
    """Return (intercept, slope) of ``fit_on_logit`` where it ranks loans as the PDs do.

    Platt (1999), without his smoothing of targets: the slice holds enough defaults. None where there is no
    fit, or its slope is not positive.
    """
    fitted = fit_on_logit(pd_raw, label, weight)
    return fitted if fitted is not None and fitted[1] > 0 else None
