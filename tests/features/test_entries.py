"""From which month a version counts as known, and what the engine does with an epoch's name."""

from collections.abc import Callable
from datetime import date

from loanbook.book.months import last_day, month_number
from loanbook.features.as_known.entries import Delivered, Group, cutoffs, entry_months
from loanbook.features.engine.knowledge_period import NO_END, SEPARATOR
from tests.features.books import START, BookLoan, Rows, loans_of, performance_of, plan_of
from tests.features.partitions import features_of, partition_of

LAST = START + 3
NONE_FULL = Delivered({}, by_slice=False)


def group(slice_: str, month: int, known_on: str, delivery: str = "") -> Group:
    return Group(slice_, delivery or f"d{known_on}", last_day(month), date.fromisoformat(known_on))


def entries(
    groups: list[Group], delivered: Delivered = NONE_FULL, months: range = range(START, LAST + 1)
) -> list[int]:
    found = entry_months(groups, delivered, months)
    return [found[one] - START for one in groups]


def test_a_month_ends_on_its_last_day_where_its_reports_say_no_more() -> None:
    assert cutoffs({START: date(2020, 1, 31), START + 1: date(2020, 2, 10)}, range(START, LAST + 1)) == [
        date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31), date(2020, 4, 30),
    ]  # fmt: skip


def test_versions_enter_in_their_month_or_when_they_come() -> None:
    usual = [group("m", START + k, f"2020-0{k + 2}-05") for k in range(4)]
    late = [
        group("m", START, "2020-02-06"),
        group("m", START + 1, "2020-05-05"),
        group("m", START, "2020-05-06"),
    ]
    assert entries([*usual, *late]) == [0, 1, 2, 3, 1, 3, 4]


def test_a_month_that_comes_after_a_later_one_was_not_known_in_its_own() -> None:
    months = [(0, "2020-02-05"), (1, "2020-04-20"), (2, "2020-04-05"), (3, "2020-05-05")]
    assert entries([group("m", START + k, day) for k, day in months]) == [0, 3, 2, 3]


def test_what_comes_between_two_quarters_is_known_in_the_later_one() -> None:
    quarters = range(START, START + 7, 3)
    usual = [group("m", month, f"2020-0{2 + month - START}-05") for month in quarters]
    late = [group("m", START, "2020-03-01"), group("m", START + 3, "2020-08-06")]
    assert cutoffs({START + 3: date(2020, 5, 5)}, quarters)[:2] == [date(2020, 5, 5)] * 2
    assert entries([*usual, *late], months=quarters) == [0, 3, 6, 3, 7]


def test_a_bulk_load_is_known_throughout() -> None:
    assert entries([group("all", START + k, "2021-01-15") for k in range(4)]) == [0, 1, 2, 3]


def test_cohorts_have_cut_offs_of_their_own() -> None:
    groups = [
        group("a", START, "2020-02-05"),
        group("b", START, "2020-03-20"),
        group("b", START + 1, "2020-03-20"),
    ]
    assert entries(groups) == [0, 1, 1]
    assert entries(groups, Delivered({}, by_slice=True)) == [0, 0, 1]


def test_a_month_delivered_again_in_full_counts_as_known_since_it_was_first() -> None:
    groups = [group("m0", START, "2020-04-20", "again"), group("m1", START + 1, "2020-03-05")]
    assert entries(groups) == [3, 1]
    days = {"m0": {"first": date(2020, 2, 5), "again": date(2020, 4, 20)}, "m1": {"other": date(2020, 1, 1)}}
    assert entries(groups, Delivered(days, by_slice=False)) == [0, 1]
    early = days | {"m0": {"first": date(2020, 1, 5), "again": date(2020, 4, 20)}}
    assert entries(groups, Delivered(early, by_slice=False)) == [3, 1]  # it cannot have held the month


def test_an_epoch_writes_its_months_and_the_last_one_is_gone_on_from() -> None:
    was, now = BookLoan("a", 0, ("current",) * 2), BookLoan("a", 0, ("dpd90",) + ("current",) * 3)
    spans = {(START, START + 1): was, (START + 2, NO_END): now}
    names = {SEPARATOR.join(("a", str(first), str(last))): loan for (first, last), loan in spans.items()}

    def named(rows_of: Callable[[list[BookLoan]], Rows]) -> Rows:
        return [row | {"loan_id": name} for name, loan in names.items() for row in rows_of([loan])]

    plain = BookLoan("b", 0, ("current",) * 4)
    partition = partition_of(
        named(performance_of) + plain.rows(), named(loans_of) + loans_of([plain]), plan_of(LAST)
    )
    rows = [row for row in features_of(partition) if row["loan_id"] == "a"]
    assert [(month_number(row["as_of_date"]) - START, row["ever_90plus"]) for row in rows] == [
        (0, 0), (1, 0), (2, 1), (3, 1),
    ]  # fmt: skip
    assert partition.state()["loan_id"].to_pylist() == ["a", "b"]
