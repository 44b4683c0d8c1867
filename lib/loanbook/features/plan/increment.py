"""Which months of the panel a run has to write, and from where it can go on."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pyspark.sql import DataFrame

from loanbook.book.months import last_day, month_number
from loanbook.book.periods import nearest_ends
from loanbook.errors import InputError
from loanbook.features.engine.macro_by_month import MacroKnown, macro_digest
from loanbook.features.plan.corrections import Corrections
from loanbook.features.plan.tape import Since, Tape
from loanbook.settings.features import FeatureSettings
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE

log = logging.getLogger(__name__)

MOST_FOLLOWED = 100_000  # loans: their names go to every task; beyond, a build of every month is as fast
RECORD = "panel"  # in the details of the run's row


@dataclass(frozen=True)
class Step:
    """What a run writes.

    Args:
        first_month: number of the first month to write.
        last_month: of the last one.
        built: the last month that the running state has seen; None: the panel is made from the beginning.
        corrected: ``loan_id`` of the loans whose earlier months changed since the last run, which are made
            from their beginning; kept until the job lets go of it.
        terms_changed: whether some loan's terms are not as the last run read them.
    """

    first_month: int
    last_month: int
    built: int | None = None
    corrected: DataFrame | None = None
    terms_changed: bool = False

    @property
    def months(self) -> int:
        """Return how many months are written."""
        return max(self.last_month - self.first_month + 1, 0)

    @property
    def restates(self) -> bool:
        """Return whether months that are built already are written again."""
        return self.built is not None and self.first_month <= self.built


@dataclass(frozen=True)
class Panel:
    """The panel last published.

    Args:
        since: the run that built it, and what changed since.
        record: what that run noted of it.
        built: number of its last month.
    """

    since: Since
    record: dict[str, Any]
    built: int


def month_in_range(tape: Tape, as_of: date) -> int:
    """Return the number of the month that ``--as-of`` names.

    Raises:
        InputError: it is no month of the source's book.
    """
    month = month_number(as_of)
    if as_of == last_day(month) and month in tape.months:
        return month
    ends = "a month end" if tape.period_months == 1 else f"an end of a period of {tape.period_months} months"
    near = [month] if month in tape.months else nearest_ends(month, tape.months)
    raise InputError(
        required=f"--as-of with {ends} of {tape.source}, "
        f"from {last_day(tape.first_month)} to {last_day(tape.last_month)}",
        found=str(as_of),
        do=f"choose {' or '.join(str(last_day(end)) for end in near)}, or ingest the month that is lacking",
    )


def last_panel(tape: Tape, settings: FeatureSettings) -> Panel | None:
    """Return the published panel as its last run left it; None where none can be gone on from.

    Raises:
        InputError: with knowledge ``as_known`` there is one that cannot be.
    """
    if tape.since is None:
        return None
    record = dict(tape.since.run.details[RECORD])
    built = built_to(tape.since)
    if built > tape.last_month:
        end = last_day(tape.last_month)
        _build_again(settings, f"months are built up to {last_day(built)} and complete up to {end}")
        return None
    return Panel(tape.since, record, built)


def built_to(since: Since) -> int:
    """Return the number of the last month that the last run of build-features left."""
    return month_number(date.fromisoformat(since.run.details[RECORD]["last_month"]))


def _build_again(settings: FeatureSettings, reason: str) -> None:
    """Say why every month is built again.

    Raises:
        InputError: with knowledge ``as_known`` that would restate published months.
    """
    if settings.knowledge == "as_known":
        raise InputError(
            required="a panel that can be gone on from, so that published months stay as they are",
            found=reason,
            do="run build-features without --as-of: it makes every month again, of what is known of it now",
        )
    log.warning("%s: every month is built again", reason)


def can_go_on(
    panel: Panel, made_with: Mapping[str, Any], macro: MacroKnown | None, settings: FeatureSettings
) -> bool:
    """Return whether what holds for all months of a panel is as it was.

    Args:
        panel: the one to go on from.
        made_with: what all months of a panel share.
        macro: what was known of the economy.
        settings: of the features.

    Raises:
        InputError: the panel was made with another catalogue or other settings.
    """
    _require_same(panel.record["made_with"], made_with)
    if panel.record["macro"] == macro_digest(macro, panel.built):
        return True
    _build_again(settings, "macro known in months already built has changed")
    return False


def step_on(panel: Panel, found: Corrections | None, month: int, settings: FeatureSettings) -> Step | None:
    """Return the step that follows corrections forward; None where every month is to be built again.

    With knowledge ``as_known`` the months already built stay as they are, whatever was corrected since.

    Args:
        panel: the one to go on from.
        found: what was corrected since, None where that cannot be told.
        month: number of the last month that the panel is to have, none before its present last one.
        settings: of the features.
    """
    if found is None:
        _build_again(settings, "the tables last built from are no longer kept")
        return None
    onward = Step(panel.built + 1, month, panel.built, found.loans, found.terms_changed)
    if found.loans is None or found.first is None or settings.knowledge == "as_known":
        return onward
    if found.number > MOST_FOLLOWED:
        found.loans.unpersist()
        _build_again(settings, f"corrections to {found.number} loans, from {found.first} on")
        return None
    log.warning(
        "corrections to %d loans make the months from %s to %s stale: these loans' rows are built again",
        found.number, found.first, last_day(panel.built),
    )  # fmt: skip
    return replace(onward, first_month=month_number(found.first))


def state_inputs(inputs: Mapping[str, int], panel: Panel | None, step: Step) -> dict[str, int]:
    """Return the versions of the tables that the running state is made from, for the run's row.

    Where corrections wait for a month to be written, they are those of the run before.

    Args:
        inputs: version that the run read of each table.
        panel: the one gone on from, None where every month was built.
        step: what the run wrote.
    """
    if panel is not None and step.corrected is not None and not step.months:
        return panel.since.inputs
    return {table.name: inputs[table.name] for table in (PERFORMANCE, LOANS)}


def _require_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    differ = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if differ:
        raise InputError(
            required="published features made with "
            + ", ".join(f"{name} {now.get(name)}" for name in differ),
            found=", ".join(f"{name} {before.get(name)}" for name in differ),
            do="rebuild every month: run build-features without --as-of, in a new warehouse where the table "
            "features has other columns",
        )
