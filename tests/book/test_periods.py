"""The months of a book whose tape reports each month or each quarter."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from loanbook.book.months import last_day, month_number
from loanbook.book.periods import require_one_phase
from loanbook.errors import InputError
from loanbook.features.plan.increment import month_in_range
from loanbook.features.plan.tape import Tape

FIRST = month_number(date(2019, 1, 31))


def tape(period_months: int) -> Tape:
    frame: Any = SimpleNamespace()
    return Tape("shop", frame, FIRST, FIRST + 12, period_months, rebuilt=False, case_control=False)


def test_a_quarterly_book_has_the_months_that_its_tape_reports() -> None:
    assert [f"{last_day(month):%y-%m}" for month in tape(3).months] == [
        "19-01", "19-04", "19-07", "19-10", "20-01",
    ]  # fmt: skip
    assert len(tape(1).months) == 13


def test_a_month_that_ends_no_period_is_refused_by_the_nearest_that_do() -> None:
    assert month_in_range(tape(3), date(2019, 4, 30)) == FIRST + 3
    assert month_in_range(tape(1), date(2019, 5, 31)) == FIRST + 4
    for day, near in (
        (date(2019, 5, 31), "choose 2019-04-30 or 2019-07-31,"),
        (date(2019, 4, 29), "choose 2019-04-30,"),
        (date(2020, 2, 29), "choose 2020-01-31,"),
        (date(9999, 12, 31), "choose 2020-01-31,"),
        (date(1, 1, 31), "choose 2019-01-31,"),
    ):
        with pytest.raises(InputError, match=near) as refused:
            month_in_range(tape(3), day)
        assert "end of a period of 3 months of shop" in str(refused.value)


def test_reports_that_are_no_whole_periods_apart_are_refused_with_their_months() -> None:
    require_one_phase("shop", {FIRST: 10, FIRST + 3: 9, FIRST + 9: 9}, 3)
    require_one_phase("shop", {FIRST: 10, FIRST + 1: 9}, 1)
    with pytest.raises(InputError, match=r"2019-02-28 \(1 rows\), 2019-06-30 \(2 rows\)") as refused:
        require_one_phase("shop", {FIRST: 10, FIRST + 1: 1, FIRST + 3: 9, FIRST + 5: 2}, 3)
    assert "3 months apart, as 2019-04-30" in str(refused.value)
    with pytest.raises(InputError, match=r"2019-02-28 \(99 rows\)"):
        require_one_phase("shop", {FIRST: 1, FIRST + 1: 99}, 3, FIRST)
