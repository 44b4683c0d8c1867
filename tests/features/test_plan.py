"""Which months a run of build-features has to write, without a table."""

from datetime import date
from typing import Any

import pytest

from loanbook.book.months import last_day
from loanbook.errors import InputError
from loanbook.features.engine.macro_by_month import macro_digest
from loanbook.features.plan.corrections import Corrections
from loanbook.features.plan.increment import MOST_FOLLOWED, Panel, Step, can_go_on, last_panel, step_on
from loanbook.features.plan.tape import Since, Tape
from loanbook.settings.features import FeatureSettings
from loanbook.warehouse.changes import LastRun
from tests.features.books import START

LATEST, AS_KNOWN = FeatureSettings(), FeatureSettings(knowledge="as_known")
BUILT = START + 4
MADE_WITH = {"feature catalogue": "c1", "book.stale_months": 3}
RECORD = {"made_with": MADE_WITH, "last_month": str(last_day(BUILT)), "macro": macro_digest(None, BUILT)}


class Loans:
    """Stands for a frame that is kept."""

    def __init__(self) -> None:
        self.kept = True

    def unpersist(self) -> None:
        self.kept = False


def tape(last_month: int = START + 9) -> Tape:
    run = LastRun("r", None, {}, {}, {"panel": RECORD})
    nothing: Any = None
    return Tape("tape", nothing, START, last_month, 1, False, False, since=Since(run, {}, {}, set()))


def panel(**record: Any) -> Panel:
    since = tape().since
    assert since is not None
    return Panel(since, RECORD | record, BUILT)


def test_a_panel_is_gone_on_from_unless_the_tape_has_moved_back_before_its_last_month() -> None:
    found = last_panel(tape(), LATEST)
    assert found is not None
    assert (found.built, found.record) == (BUILT, RECORD)
    assert last_panel(tape(BUILT - 1), LATEST) is None
    with pytest.raises(InputError, match="run build-features without --as-of"):
        last_panel(tape(BUILT - 1), AS_KNOWN)


def test_macro_that_changed_in_months_built_makes_every_month_again() -> None:
    assert can_go_on(panel(), MADE_WITH, None, LATEST)
    assert not can_go_on(panel(macro="other"), MADE_WITH, None, LATEST)
    with pytest.raises(InputError, match="macro known in months already built has changed"):
        can_go_on(panel(macro="other"), MADE_WITH, None, AS_KNOWN)
    with pytest.raises(InputError, match="book.stale_months 6"):
        can_go_on(panel(), MADE_WITH | {"book.stale_months": 6}, None, LATEST)


def test_corrections_are_followed_from_their_first_month_unless_published_months_stay() -> None:
    loans: Any = Loans()
    found = Corrections(loans, 2, date(2020, 3, 31))
    assert step_on(panel(), Corrections(), START + 6, LATEST) == Step(BUILT + 1, START + 6, BUILT)
    followed = step_on(panel(), found, START + 6, LATEST)
    assert followed == Step(START + 2, START + 6, BUILT, loans)
    assert followed is not None
    assert followed.restates
    assert step_on(panel(), found, START + 6, AS_KNOWN) == Step(BUILT + 1, START + 6, BUILT, loans)
    assert loans.kept


def test_what_cannot_be_followed_makes_every_month_again() -> None:
    loans: Any = Loans()
    assert step_on(panel(), None, START + 6, LATEST) is None
    many = Corrections(loans, MOST_FOLLOWED + 1, date(2020, 3, 31))
    assert step_on(panel(), many, START + 6, LATEST) is None
    assert not loans.kept
    with pytest.raises(InputError, match="no longer kept"):
        step_on(panel(), None, START + 6, AS_KNOWN)
