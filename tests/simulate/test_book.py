"""The book lives to the tape's end, unless it is closed."""

from pathlib import Path

import numpy as np

from loanbook.settings.simulate import SimulationSettings
from loanbook.simulate.book import Loans, make_book
from loanbook.simulate.macro import realised_macro
from tests.simulate.conftest import LargeBook

MONTHS = 60


def book_of(share: float) -> Loans:
    settings = SimulationSettings.model_validate({"book": {"origination_share": share}})
    return make_book(settings, realised_macro(settings, MONTHS, 7), 3000, MONTHS, 7)


def test_loans_are_made_until_the_tape_ends(large: LargeBook) -> None:
    made = np.bincount(large.loans.origination[large.loans.origination >= 0], minlength=120)
    assert (made[:119] > 100).all()
    assert made[119] == 0


def test_every_loan_is_reported_once_at_least(large: LargeBook, tiny: Path) -> None:
    assert np.array_equal(np.unique(large.panel.loan), np.arange(len(large.loans)))
    files = sorted((tiny / "tapes").glob("historical_data_*.txt"))
    ids = {"time": set[str](), "terms": set[str]()}
    for file in files:
        kind, field = ("time", 0) if "time" in file.stem else ("terms", 19)
        ids[kind] |= {line.split("|")[field] for line in file.read_text("utf-8").splitlines()}
    assert ids["terms"] == ids["time"]


def test_a_closed_book_takes_no_new_loans() -> None:
    assert book_of(1.0).origination.max() == MONTHS - 2
    assert book_of(0.78).origination.max() == int(0.78 * MONTHS) - 1


def test_a_closed_book_ages() -> None:
    seasoned = {share: (MONTHS - 2 - book_of(share).origination > 36).mean() for share in (1.0, 0.78)}
    assert seasoned[0.78] > 1.15 * seasoned[1.0]
