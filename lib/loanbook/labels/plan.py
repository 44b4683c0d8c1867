"""What a run of build-labels has to write, from what the last one read and left in its ``runs`` row."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pyspark.sql import functions as F

from loanbook.book.months import last_day, month_number
from loanbook.features.plan.tape import Since, Tape
from loanbook.labels.cohorts import Calendar
from loanbook.settings.book import BookSettings
from loanbook.tables.columns import of_source
from loanbook.tables.labels import HORIZONS
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse.changes import month_digests

RECORD = "labels_built"  # in the details of the row
REVISION = 4  # raised whenever the same performance gets other labels, outcomes or digests
READ = ("loan_id", *PERFORMANCE.read_by("labels"))

Counts = dict[str, dict[str, list[int]]]


@dataclass(frozen=True)
class Plan:
    """The cohorts to write.

    Args:
        source: whose labels they are.
        calendar: of the source.
        reasons: month of each cohort to write, and why.
        whole: whether they replace all that the source has.
        settings: what, beside performance, the labels depend on.
        digests: of each month of performance, as read now.
        kept: of each cohort that stays as it is, rows and defaults by label status.
        outcomes: number of the outcomes last built.
    """

    source: str
    calendar: Calendar
    reasons: dict[int, str]
    whole: bool
    settings: dict[str, Any]
    digests: dict[str, str]
    kept: Counts
    outcomes: int = 0

    @property
    def where(self) -> str:
        """Return the condition of the rows of ``labels`` that are replaced."""
        source = of_source(self.source)
        if self.whole:
            return source
        months = ", ".join(f"DATE'{last_day(month)}'" for month in sorted(self.reasons))
        return f"{source} AND as_of_date IN ({months})"

    @property
    def by_reason(self) -> dict[str, int]:
        """Return how many cohorts are written for each reason."""
        return dict(sorted(Counter(self.reasons.values()).items()))

    def record(self, cohorts: Counts, outcomes: int) -> dict[str, Any]:
        """Return what the next run's plan starts from."""
        return {
            "settings": self.settings,
            "last_month": self.calendar.last_month,
            "digests": self.digests,
            "cohorts": cohorts,
            "outcomes": outcomes,
        }


def plan_labels(tape: Tape, since: Since | None, book: BookSettings, definition: str) -> Plan:
    """Return what to write: every cohort, unless a published run built labels with the same settings.

    A last complete month that moved back makes every cohort be built again too.

    Args:
        tape: the source's performance.
        since: what the run that built the published labels left, None where none are published.
        book: who is in the book.
        definition: id of the default definition in force.
    """
    calendar = Calendar(tape.last_month, tape.stale_months(book), tape.period_months)
    settings = {
        "revision": REVISION,
        "horizons": list(HORIZONS),
        "stale_months": calendar.stale_months,
        "period_months": calendar.period_months,
        "default_definition_id": definition,
    }
    built = {} if since is None else since.run.details.get(RECORD, {})
    if since is None or built.get("settings") != settings or built["last_month"] > tape.last_month:
        reason = "new" if since is None else "rebuilt"
        reasons = dict.fromkeys(calendar.cohorts(tape.first_month), reason)
        digests = _by_text(month_digests(tape.performance, READ))
        return Plan(tape.source, calendar, reasons, True, settings, digests, {})
    digests = _digests(tape, since.months, built["digests"])
    changed = [_number(month) for month, _ in digests.items() ^ built["digests"].items()]
    reasons = calendar.cohorts_to_write(tape.first_month, built["last_month"], changed)
    kept = {month: counts for month, counts in built["cohorts"].items() if _number(month) not in reasons}
    return Plan(tape.source, calendar, reasons, False, settings, digests, kept, built["outcomes"])


def _digests(tape: Tape, months: set[date] | None, before: Mapping[str, str]) -> dict[str, str]:
    """Return each month's digest: of those whose files are the ones last read, as it was.

    Files tell more than rows do: a delivery writes every month of its slices again, most as they were.
    """
    if months is None:
        return _by_text(month_digests(tape.performance, READ))
    if not months:
        return dict(before)
    now = month_digests(tape.performance.where(F.col("as_of_date").isin(*months)), READ)
    same = {month: digest for month, digest in before.items() if date.fromisoformat(month) not in months}
    return same | _by_text(now)


def _by_text(digests: Mapping[date, str]) -> dict[str, str]:
    return {str(month): digest for month, digest in digests.items()}


def _number(month: str) -> int:
    return month_number(date.fromisoformat(month))
