"""Which cohorts' labels can differ from those last built, and which months of performance they come from."""

from collections.abc import Collection
from dataclasses import dataclass

from loanbook.book.membership import oldest_report
from loanbook.book.periods import period_ends
from loanbook.tables.labels import HORIZONS


@dataclass(frozen=True)
class Calendar:
    """The months of a source's labels, as numbers (see months.py).

    Args:
        last_month: the last complete one.
        stale_months: months that a loan without a report stays in the book.
        period_months: from one report to the next.
    """

    last_month: int
    stale_months: int
    period_months: int

    def months_of(self, cohort: int) -> range:
        """Return the months of performance that a cohort's labels are made of.

        They begin with the oldest report that may have a loan in its book, and end with its longest horizon
        that has passed; so long as none has, with the cohort itself.

        >>> calendar = Calendar(last_month=100, stale_months=3, period_months=1)
        >>> calendar.months_of(70), calendar.months_of(90), calendar.months_of(100)
        (range(67, 95), range(87, 97), range(97, 101))
        """
        passed = [months for months in self._horizons if cohort + months <= self.last_month]
        return range(oldest_report(cohort, self.stale_months), cohort + max(passed, default=0) + 1)

    def months_of_all(self, cohorts: Collection[int]) -> list[int]:
        """Return the months of performance that the labels of several cohorts are made of, in order."""
        return sorted({month for cohort in cohorts for month in self.months_of(cohort)})

    def cohorts(self, first_month: int) -> range:
        """Return the months of all cohorts from a month on: the ends of periods."""
        return period_ends(first_month, self.last_month, self.period_months)

    def cohorts_to_write(self, first_month: int, before: int, changed: Collection[int]) -> dict[int, str]:
        """Return the cohorts whose labels can differ from those last built, and why.

        ``new``: its month was not complete then; ``matured``: a horizon or its next period has passed since;
        ``corrected``: a month that its labels are made of has changed.

        >>> calendar = Calendar(last_month=100, stale_months=3, period_months=1)
        >>> calendar.cohorts_to_write(40, 99, [])
        {76: 'matured', 88: 'matured', 94: 'matured', 99: 'matured', 100: 'new'}
        >>> calendar.cohorts_to_write(98, 100, [98])
        {98: 'corrected', 99: 'corrected', 100: 'corrected'}

        Args:
            first_month: the first that has reports.
            before: the last complete month when labels were last built, not later than now.
            changed: months whose reports differ from those read then.
        """
        # Later months were not read then, whatever they held: what they bring is new or matured.
        corrected = {month for month in changed if month <= before}
        reasons = {
            cohort: self._reason(cohort, before, corrected)
            for cohort in self.cohorts(min(first_month, *corrected, before + 1))
        }
        return {cohort: reason for cohort, reason in reasons.items() if reason}

    def _reason(self, cohort: int, before: int, corrected: set[int]) -> str | None:
        if cohort > before:
            return "new"
        if any(before < cohort + months <= self.last_month for months in self._horizons):
            return "matured"
        return None if corrected.isdisjoint(self.months_of(cohort)) else "corrected"

    @property
    def _horizons(self) -> tuple[int, ...]:
        return (self.period_months, *HORIZONS)
