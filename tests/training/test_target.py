from dataclasses import replace
from datetime import date

import pytest

from loanbook.book.state_moves import StateMoves
from loanbook.book.tape_kind import Outcome, TapeKind, declared_outcome
from loanbook.errors import InputError
from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.settings.book import DefaultDefinition
from loanbook.settings.train import TrainSettings
from loanbook.training.architecture import target_head as head_for
from loanbook.training.snapshot.origins import folds_for
from loanbook.training.snapshot.splits import with_enough_defaults
from tests.training.books import month_ends

NEXT_MONTH = Outcome(definition="late next month", horizon_months=1, grain="loan")
EVER = Outcome(definition="charged off", horizon_months="to_maturity", grain="loan")
SETTINGS = TrainSettings(members=1)


def target_head(name: str | None, tape: TapeKind) -> Head:
    return head_for(name, tape, DefaultDefinition())


def of(outcome: Outcome | None) -> TapeKind:
    return TapeKind(source="s", outcome=outcome)


def test_a_tape_that_declares_an_outcome_is_learnt_by_it_unless_the_architecture_names_a_head() -> None:
    default = replace(head("default_12m"), moves=StateMoves.of(1, DefaultDefinition()))
    assert target_head(None, of(None)) == default
    assert target_head("default_12m", of(EVER)) == default
    month, ever = (target_head(None, of(outcome)) for outcome in (NEXT_MONTH, EVER))
    assert (month.horizon_months, month.fills, month.is_of_tape) == (1, ("pd_outcome",), True)
    assert (ever.horizon_months, ever.event) == (None, "charged off, up to maturity")
    year = Outcome(definition="bad", horizon_months=12, grain="loan_month")
    assert target_head("tape_outcome", of(year)).fills == ("pd_outcome", "pd_12m")
    with pytest.raises(InputError, match="add 'outcome' to the mapping"):
        target_head("tape_outcome", of(None))


def test_deliveries_that_declare_several_outcomes_are_refused() -> None:
    texts = {EVER.model_dump_json(), NEXT_MONTH.model_dump_json()}
    assert declared_outcome("s", {EVER.model_dump_json()}) == EVER
    with pytest.raises(InputError, match="charged off, up to maturity; late next month, within 1 month"):
        declared_outcome("s", texts)


def test_loans_are_held_out_where_no_later_time_is() -> None:
    ever, month, default = (target_head(None, of(outcome)) for outcome in (EVER, NEXT_MONTH, None))
    months = month_ends(48)
    fold = folds_for(ever, months, SETTINGS)[0]
    assert (fold.name, fold.held_out, fold.test_from) == ("held_out_loans", "loans", None)
    assert (fold.development_from, fold.development_to) == (months[0], months[-1])
    assert fold.shares["test"] == 0.2
    assert sum(fold.shares.values()) == pytest.approx(1)
    assert "the tape has its own outcome (charged off, up to maturity)" in fold.reasons[0]
    only = folds_for(month, [date(2005, 9, 30)], SETTINGS)[0]
    assert (only.held_out, only.development_to) == ("loans", date(2005, 9, 30))
    assert "one month has labelled rows" in only.reasons[0]
    assert folds_for(month, months, SETTINGS)[0].held_out == "months"
    assert folds_for(default, months[:1], SETTINGS)[0].held_out == "months"


def test_held_out_loans_stay_so_where_too_few_are_bad_to_calibrate() -> None:
    fold = folds_for(target_head(None, of(EVER)), month_ends(1), SETTINGS)[0]
    assert with_enough_defaults(fold, 1000, 1000, SETTINGS) == fold
    few = with_enough_defaults(fold, 100, 1000, SETTINGS)
    assert few.shares == pytest.approx({"train": 0.68, "tune": 0.12, "test": 0.2})
    assert list(few.shares) == ["train", "tune", "test"]
