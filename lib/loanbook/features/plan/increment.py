"""Which months of the panel a run has to write, and from where it can go on."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from pyspark.sql import DataFrame

from loanbook.book.months import last_day, month_number
from loanbook.errors import InputError
from loanbook.features.catalogue.table import FEATURES
from loanbook.features.engine.macro_known import MacroKnown, macro_digest
from loanbook.features.plan.corrections import corrections
from loanbook.features.plan.tape import Since, Tape
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.warehouse.runs import Run

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


def last_panel(run: Run, tape: Tape) -> Panel | None:
    """Return the panel of a source as its last run left it; None where none can be gone on from."""
    if tape.since is None or not (run.exists(FEATURES) and run.exists(FEATURE_STATE)):
        return None
    record = dict(tape.since.run.details[RECORD])
    built = built_to(tape.since)
    if built > tape.last_month:
        end = last_day(tape.last_month)
        _build_again(run, f"months are built up to {last_day(built)} and complete up to {end}")
        return None
    return Panel(tape.since, record, built)


def built_to(since: Since) -> int:
    """Return the number of the last month that the last run of build-features left."""
    return month_number(date.fromisoformat(since.run.details[RECORD]["last_month"]))


def _build_again(run: Run, reason: str) -> None:
    """Say why every month is built again.

    Raises:
        InputError: with knowledge ``as_known`` that would restate published months.
    """
    if run.settings.features.knowledge == "as_known":
        raise InputError(
            required="a panel that can be gone on from, so that published months stay as they are",
            found=reason,
            do="run build-features without --as-of: it makes every month again, of what is known of it now",
        )
    log.warning("%s: every month is built again", reason)


def plan_step(
    run: Run,
    tape: Tape,
    month: int,
    panel: Panel | None,
    made_with: Mapping[str, Any],
    macro: MacroKnown | None,
) -> Step:
    """Return what has to be written so that every month up to ``month`` is as the inputs now say.

    With knowledge ``as_known`` the months already built stay as they are, whatever was corrected since.

    Args:
        run: the job's run.
        tape: the source's performance.
        month: number of the last month that the panel is to have, none before its present last one.
        panel: the one to go on from; None: every month is built.
        made_with: what all months of a panel share.
        macro: what was known of the economy up to ``month``.

    Raises:
        InputError: the published panel was made with another catalogue or other settings.
    """
    whole = Step(tape.first_month, month)
    if panel is None:
        return whole
    _require_same(panel.record["made_with"], made_with)
    if panel.record["macro"] != macro_digest(macro, panel.built):
        _build_again(run, "macro known in months already built has changed")
        return whole
    return _after_corrections(run, tape, panel, month) or whole


def _after_corrections(run: Run, tape: Tape, panel: Panel, month: int) -> Step | None:
    """Return the step that follows corrections forward; None where every month is to be built again."""
    found = corrections(run, tape.source, panel.since, panel.built)
    if found is None:
        _build_again(run, "the tables last built from are no longer kept")
        return None
    onward = Step(panel.built + 1, month, panel.built, found.loans, found.terms_changed)
    if found.loans is None or found.first is None or run.settings.features.knowledge == "as_known":
        return onward
    if found.number > MOST_FOLLOWED:
        found.loans.unpersist()
        _build_again(run, f"corrections to {found.number} loans, from {found.first} on")
        return None
    log.warning(
        "corrections to %d loans make the months from %s to %s stale: these loans' rows are built again",
        found.number, found.first, last_day(panel.built),
    )  # fmt: skip
    return replace(onward, first_month=month_number(found.first))


def state_inputs(run: Run, panel: Panel | None, step: Step) -> dict[str, int]:
    """Return the versions of the tables that the running state is made from, for the run's row.

    Where corrections wait for a month to be written, they are those of the run before.
    """
    if panel is not None and step.corrected is not None and not step.months:
        return panel.since.inputs
    return {table.name: run.inputs[table.name] for table in (PERFORMANCE, LOANS)}


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
