"""Incidences of default and prepayment as the columns of the scores."""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.book.default_status import performing_expr


def curve_columns(
    raw: Sequence[Column], calibrated: Sequence[Column], year: int, period_months: int, method: str
) -> dict[str, Column]:
    """Return ``pd_12m``, the curves and what follows from them; a loan in default has PD 1 and no curve.

    ``pd_lifetime`` is the cumulative incidence at the contract's end, null where the curve ends before.

    Args:
        raw: incidences of default in each period, then of prepayment, a column each.
        calibrated: the same, calibrated.
        year: periods that make 12 months.
        period_months: of a period.
        method: how they came about (``Head.score_columns``).
    """
    performing, periods = performing_expr(), len(calibrated) // 2
    default, prepayment = (F.array(*half) for half in (calibrated[:periods], calibrated[periods:]))
    left = F.ceil(F.col("remaining_term") / period_months).cast("int")
    within = performing & F.col("remaining_term").between(1, periods * period_months)
    return {
        "pd_12m_raw": F.when(performing, _summed(F.array(*raw[:year]))),
        "pd_12m": F.when(performing, _summed(F.slice(default, 1, year))).otherwise(F.lit(1.0)),
        "pd_lifetime": F.when(within, _summed(F.slice(default, F.lit(1), left))).otherwise(
            F.when(~performing, F.lit(1.0))
        ),
        "prepayment_12m": F.when(performing, _summed(F.slice(prepayment, 1, year))),
        "pd_curve": F.when(performing, default),
        "prepayment_curve": F.when(performing, prepayment),
        "pd_method": F.when(performing, F.lit("hazard" if method == "direct" else method)).otherwise(
            F.lit("in_default")
        ),
    }


def _summed(incidences: Column) -> Column:
    return F.least(F.aggregate(incidences, F.lit(0.0), lambda total, one: total + one), F.lit(1.0))
