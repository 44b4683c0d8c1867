"""The economy as it was known around one loan and month, from the definitions."""

from itertools import pairwise
from typing import Any

from loanbook.book.months import month_number
from tests.features.books import Rows
from tests.features.oracle_loan import Loan, ratio

NATION = "US"
LATE = 3  # months that a publication may be late before its series has ended


class Economy:
    """Macro rows, asked for what was known at the end of a month."""

    def __init__(self, rows: Rows) -> None:
        self._series: dict[tuple[str, str], list[tuple[int, int, float]]] = {}
        for row in rows:
            value = (month_number(row["known_on"]), month_number(row["as_of_date"]), row["value"])
            self._series.setdefault((row["region"], row["series"]), []).append(value)
        self._known: dict[tuple[str, str, int], dict[int, float]] = {}

    def known(self, region: str, series: str, month: int) -> dict[int, float]:
        """Return a series by the months before its latest value (0: that value); empty where it has ended."""
        key = (region, series, month)
        if key not in self._known:
            self._known[key] = self._read(sorted(self._series.get((region, series), [])), month)
        return self._known[key]

    def _read(self, rows: list[tuple[int, int, float]], month: int) -> dict[int, float]:
        published = [row for row in rows if row[0] <= month]
        values = {of: value for _, of, value in published}  # of revisions the last
        if not values:
            return {}
        of_months = sorted(values)
        period = min((b - a for a, b in pairwise(of_months)), default=1)
        lag = min(known - of for known, of, _ in published)
        latest = of_months[-1]
        if month > latest + period + lag + LATE:
            return {}
        return {latest - of: value for of, value in values.items()}

    def around(self, loan: Loan, series: str, month: int) -> dict[int, float]:
        """Return the series of the loan's region while it goes on, else of the nation."""
        region = loan.terms.get("region")
        own = self.known(region, series, month) if region else {}
        return own or self.known(NATION, series, month)

    def incentive(self, loan: Loan, month: int) -> float | None:
        """Return the loan's rate less the market rate; None outside the book too."""
        if month not in loan.months:
            return None
        return less(loan.rate(month), self.around(loan, "mortgage_rate", month).get(0))


def macro_features(loan: Loan, month: int, economy: Economy) -> dict[str, Any]:
    """Return the features of the theme macro, and the incentives of the last 12 months."""
    result: dict[str, Any] = {}
    for series in ("unemployment", "mortgage_rate"):
        known = economy.around(loan, series, month)
        result[series] = known.get(0)
        for k in (3, 12):
            result[f"{series}_change_{k}m"] = less(known.get(0), known.get(k))
    prices = economy.around(loan, "hpi", month)
    year = [economy.incentive(loan, month - k) for k in range(11, -1, -1)]
    incentives = [value for value in year if value is not None]
    ever = [economy.incentive(loan, m) for m in loan.months if m <= month]
    origination = loan.month_of("origination_date")
    start = None if origination is None else min(origination, loan.first)
    at_start = {} if start is None else economy.around(loan, "mortgage_rate", start)
    rate = loan.terms.get("original_rate")
    return result | {
        "hpi_growth_12m": prices[0] / prices[12] - 1 if 12 in prices else None,
        "incentive": year[-1],
        "incentive_mean_12m": sum(incentives) / len(incentives) if incentives else None,
        "incentive_last_12m": year,
        # The definition is silent on a month in which the market rate is not known.
        "burnout": None if year[-1] is None else sum(value is not None and value > 0 for value in ever),
        "rate_spread_at_origination": less(None if rate is None else float(rate), at_start.get(0)),
        "mtm_ltv": _marked_to_market(loan, month, start, economy),
    }


def _marked_to_market(loan: Loan, month: int, start: int | None, economy: Economy) -> float | None:
    ltv, left = loan.terms.get("ltv"), ratio(loan.last_of("upb", month), loan.terms.get("original_upb"))
    if ltv is None or left is None or start is None:
        return None
    for area in (loan.terms.get("region"), NATION):  # both indices of the region, else both of the nation
        then, now = (economy.known(area, "hpi", m).get(0) if area else None for m in (start, month))
        if then is not None and now is not None:
            return ltv * left * then / now
    return None


def less(left: float | None, right: float | None) -> float | None:
    """Return a difference; None where either side is unknown."""
    return None if left is None or right is None else left - right
