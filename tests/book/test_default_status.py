"""The window expressions of the default definition against a plain walk through each history."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loanbook.book.default_status import with_default_status
from loanbook.settings.book import DefaultDefinition
from loanbook.tables.columns import STATES, TERMINAL_STATES
from tests.property_tests import examples

SCHEMA = "source STRING, loan_id STRING, as_of_date DATE, state STRING, loss_event BOOLEAN, modified BOOLEAN"
Month = tuple[str, bool, bool]  # state, loss event, modified up to now


def walk(history: list[Month], definition: DefaultDefinition) -> list[tuple[str, int, bool, bool]]:
    """Return status, episode, entry and exit of each month, going through them in order."""
    entry_states = set(STATES[STATES.index(definition.entry_state) : STATES.index("reo") + 1])
    out, in_default, episode, good, need = [], False, 0, 0, definition.cure_months
    before: Month | None = None
    for state, loss, modified in history:
        modification = before is not None and modified and not before[2]
        delinquent = state in STATES[1:6] or (before is not None and before[0] in STATES[1:6])
        trigger = state in entry_states or (loss and definition.liquidation_with_loss_is_default)
        if definition.distressed_modification_is_default:
            trigger = trigger or (modification and delinquent)
        entry = trigger and not in_default
        if entry:
            in_default, episode, need = True, episode + 1, definition.cure_months
        below = state in ("current", "inactive") and not trigger
        good = good + 1 if below else 0
        if modification and in_default:
            need, good = definition.cure_months_after_modification, 0
        exit_ = in_default and below and good >= need
        in_default = in_default and not exit_
        now = ("probation" if below else "in_default") if in_default else "performing"
        out.append(("terminated" if state in TERMINAL_STATES else now, episode, entry, exit_))
        before = (state, loss, modified)
    return out


@st.composite
def histories(draw: st.DrawFn) -> list[Month]:
    live = draw(st.lists(st.sampled_from(("current",) * 6 + STATES[1:7]), min_size=1, max_size=36))
    from_ = draw(st.integers(0, 60))
    months = [(state, False, index >= from_) for index, state in enumerate(live)]
    if draw(st.booleans()):
        state = draw(st.sampled_from(TERMINAL_STATES))
        months.append((state, state == "liquidated" and draw(st.booleans()), from_ <= len(live)))
    return months


def judged(
    spark: Any, books: list[list[Month]], definition: DefaultDefinition
) -> list[list[tuple[Any, ...]]]:
    rows = [
        ("s", f"{loan:04d}", date(2000 + index // 12, index % 12 + 1, 1), *month)
        for loan, book in enumerate(books)
        for index, month in enumerate(book)
    ]
    frame = spark.createDataFrame(rows, SCHEMA).transform(with_default_status(definition))
    out: list[list[tuple[Any, ...]]] = [[] for _ in books]
    for row in frame.orderBy("loan_id", "as_of_date").collect():
        out[int(row.loan_id)].append(
            (row.default_status, row.default_episode, row.default_entry, row.default_exit)
        )
    return out


@pytest.mark.parametrize(
    "definition",
    [
        DefaultDefinition(),
        DefaultDefinition(
            entry_state="dpd60", cure_months=2, cure_months_after_modification=5,
            distressed_modification_is_default=True, liquidation_with_loss_is_default=False,
        ),
    ],
    ids=["standard", "other choices"],
)  # fmt: skip
@settings(examples(2), suppress_health_check=list(HealthCheck))
@given(books=st.lists(histories(), min_size=100, max_size=100))
def test_windows_equal_the_walk(spark, books, definition):
    for book, found in zip(books, judged(spark, books, definition), strict=True):
        assert found == walk(book, definition), book


def test_a_cure_takes_three_good_months_and_twelve_after_a_modification(spark):
    bad, good = ("dpd90", False, False), ("current", False, False)
    plain = [good, bad, good, good, good, good]
    modified = [good, bad, good, *[("current", False, True)] * 14]
    short, long = judged(spark, [plain, modified], DefaultDefinition())
    assert [month[0] for month in short] == [
        "performing", "in_default", "probation", "probation", "performing", "performing",
    ]  # fmt: skip
    assert [index for index, month in enumerate(long) if month[3]] == [15]  # the 12th after the modification


def test_each_modified_default_takes_twelve_good_months(spark):
    def episode(years: int) -> list[Month]:
        return [("dpd90", False, False), *[("current", False, True)] * years * 12, ("current", False, False)]

    (months,) = judged(spark, [[*episode(2), *episode(2)]], DefaultDefinition())
    assert [index for index, month in enumerate(months) if month[3]] == [13, 39]


def test_a_gap_neither_counts_nor_breaks(spark):
    months = [("dpd90", False, False), *[("current", False, False)] * 3]
    rows = [("s", "1", date(2020, m, 1), *month) for m, month in zip((1, 2, 6, 12), months, strict=True)]
    frame = spark.createDataFrame(rows, SCHEMA).transform(with_default_status(DefaultDefinition()))
    assert [row.default_exit for row in frame.orderBy("as_of_date").collect()] == [False, False, False, True]
