"""What is delivered again, late, or in another file: the tables show the last word, once."""

from collections import defaultdict
from datetime import date

import pytest

from loanbook.quality.fates import FATES
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from loanbook.tables.superseded import SUPERSEDED
from loanbook.tables.terminations import TERMINATIONS
from loanbook.warehouse.commits import changed_files
from loanbook.warehouse.runs import Run
from tests.sources.tapes import (
    MONTHLY_FEED,
    SMALL_BOOK,
    assert_reconciled,
    write_book,
    write_feed,
    write_mapping,
)

WRITTEN_IN_TURN = (QUARANTINE, PERFORMANCE, DELIVERIES)
LENIENT = ("ingest.max_quarantined_share=0.5", "ingest.max_lost_class_share=1")


def test_a_corrected_slice_replaces_itself_and_no_other(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "book.yaml", **SMALL_BOOK)
    first = {"A": 700, "B": 700}
    ingest(source, write_book(tmp_path / "whole", first, [("A", "201904", 0), ("B", "201904", 0)]))
    ingest(source, write_book(tmp_path / "other", {"Z": 700}, [("Z", "201907", 0)], "2019Q2"))
    corrected = write_book(tmp_path / "corrected", {"A": 700}, [("A", "201904", 0)])
    ingest(
        source, corrected, delivered_at="2020-01-15", settings=("ingest.bounds.vanished_loans=[0,1]",)
    )  # fmt: skip
    assert [(row["loan_id"], row["known_on"]) for row in rows(PERFORMANCE)] == [
        ("A", date(2020, 1, 15)),
        ("Z", date(2019, 7, 31)),
    ]
    assert [row["loan_id"] for row in rows(LOANS)] == ["A", "Z"]
    held = defaultdict(list)
    for row in rows(DELIVERIES):
        held[row["slice"], row["kind"]].append((row["published"], row["superseded"]))
    assert sorted(held["2019Q1", "performance"]) == [
        (0, 2),
        (1, 0),
    ]  # the file that was replaced stays on record
    assert held["2019Q2", "performance"] == [(1, 0)]


def test_a_history_over_monthly_slices_is_judged_as_one(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "feed.yaml")
    feed = tmp_path / "feed"
    late = {"202001": 0, "202002": 95, "202003": 0, "202004": 0, "202005": 0}
    files = {
        period: write_feed(feed, period, [("1", period, days), ("2", period, 0)])
        for period, days in late.items()
    }
    ingest(source, *(files[period] for period in ("202001", "202003", "202004")))
    ingest(source, files["202002"])  # a month that comes late restates the two after it
    ingest(source, files["202005"])
    apart = rows(PERFORMANCE)
    assert [row["default_status"] for row in apart if row["loan_id"] == "1"] == [
        "performing", "in_default", "probation", "probation", "performing",
    ]  # fmt: skip
    assert {row["default_status"] for row in apart if row["loan_id"] == "2"} == {"performing"}
    ingest(source, *files.values())
    assert rows(PERFORMANCE) == apart
    assert [(row["loan_id"], row["slice"]) for row in rows(LOANS)] == [("1", "202001"), ("2", "202001")]


def test_a_later_file_supersedes_lines_of_an_earlier_one_and_sets_aside_what_follows_an_exit(
    ingest, rows, tmp_path
):
    own = {
        "late": {"expression": "days", "type": "numeric", "role": "input"},
        "ends": {"expression": "last_day(month)", "type": "date", "role": "monitoring"},
    }
    source = write_mapping(
        tmp_path / "feed.yaml", performance={**MONTHLY_FEED["performance"], "attributes": own}
    )
    first = write_feed(tmp_path, "202002", [("1", "202001", 0), ("1", "202002", 0), ("2", "202002", 40)])
    ingest(source, first)
    second = write_feed(tmp_path, "202001", [("1", "202001", -1), ("2", "202001", 0)])
    ingest(source, second)
    assert [(row["loan_id"], str(row["as_of_date"]), row["state"]) for row in rows(PERFORMANCE)] == [
        ("1", "2020-01-31", "prepaid"),
        ("2", "2020-01-31", "current"),
        ("2", "2020-02-29", "dpd30"),
    ]
    deliveries = {row["slice"]: row for row in rows(DELIVERIES)}
    assert [deliveries["202002"][fate] for fate in FATES] == [1, 0, 1, 1]
    assert deliveries["202002"]["upb"] == 100
    assert_reconciled(rows(DELIVERIES), {"performance": 3})
    assert [(row["loan_id"], row["fate"]) for row in rows(SUPERSEDED)] == [
        ("1", "superseded"), ("1", "set_aside"),
    ]  # fmt: skip

    # The file that set them aside is corrected: what the other file brought is in force again.
    third = write_feed(tmp_path / "mended", "202001", [("2", "202001", 0)])
    ingest(source, third, settings=("ingest.bounds.vanished_loans=[0,1]",))
    assert [(row["loan_id"], str(row["as_of_date"]), row["state"]) for row in rows(PERFORMANCE)] == [
        ("1", "2020-01-31", "current"),
        ("1", "2020-02-29", "current"),
        ("2", "2020-01-31", "current"),
        ("2", "2020-02-29", "dpd30"),
    ]
    kept = [(row["numeric_attributes"], row["date_attributes"]) for row in rows(PERFORMANCE)]
    assert [(late["late"], ends["ends"].month) for late, ends in kept] == [(0, 1), (0, 2), (0, 1), (40, 2)]
    assert rows(PERFORMANCE)[0]["attribute_roles"] == {"late": "input", "ends": "monitoring"}
    assert rows(PERFORMANCE)[0]["categorical_attributes"] == {}
    assert rows(TERMINATIONS) == rows(SUPERSEDED) == []
    (first_again,) = [row for row in rows(DELIVERIES) if row["slice"] == "202002"]
    assert [first_again[fate] for fate in FATES] == [3, 0, 0, 0]
    assert (first_again["upb"], first_again["delinquent"]) == (300, 1)


def test_sources_never_touch_each_other(ingest, rows, tmp_path):
    book = write_mapping(tmp_path / "book.yaml", **SMALL_BOOK)
    ingest(book, write_book(tmp_path / "tape", {"A": 700}, [("A", "201904", 0)]))
    before = rows(PERFORMANCE)
    ingest(write_mapping(tmp_path / "feed.yaml"), write_feed(tmp_path, "201904", [("A", "201904", 0)]))
    after = rows(PERFORMANCE)
    assert [row for row in after if row["source"] == "small_book"] == before
    assert len(after) == len(before) + 1


def test_of_loans_only_new_rows_are_written_until_one_that_is_there_changes(ingest, rows, make_run, tmp_path):
    source = write_mapping(tmp_path / "feed.yaml")
    folders = iter("abc")

    def written(period: str, *lines: tuple[str, str, int]) -> tuple[int, int]:
        """Return how many files of ``loans`` came and went."""
        before = make_run().published[LOANS.name]
        ingest(source, write_feed(tmp_path / next(folders), period, lines))
        run = make_run()
        files = changed_files(run.spark, run.storage, LOANS, before, run.published[LOANS.name])
        assert files is not None
        return len(files.came), len(files.went)

    ingest(source, write_feed(tmp_path, "202001", [("1", "202001", 0)]))
    assert written("202002", ("1", "202002", 0)) == (0, 0)
    assert written("202003", ("1", "202003", 0), ("2", "202003", 0)) == (1, 0)
    came, went = written("202001", ("1", "202001", 0), ("3", "202001", 0))  # a row names its delivery
    assert came
    assert went
    assert [(row["loan_id"], row["slice"]) for row in rows(LOANS)] == [
        ("1", "202001"),
        ("2", "202003"),
        ("3", "202001"),
    ]


def killed_before_the_run_is_published(run, details):
    assert len(run.outputs) == 5
    raise KeyboardInterrupt


def test_an_ingest_killed_between_two_commits_leaves_the_published_tables_and_finishes_when_run_again(
    ingest, rows, tmp_path, monkeypatch
):
    source = write_mapping(tmp_path / "feed.yaml")
    feed = [("1", "202001", 0), ("2", "202001", 40), ("3", "202013", 0)]
    ingest(source, write_feed(tmp_path / "old", "202001", feed), settings=LENIENT)
    before = {table.name: rows(table) for table in WRITTEN_IN_TURN}
    corrected = write_feed(tmp_path / "new", "202001", [("1", "202001", -1), *feed[1:], ("4", "202013", 0)])
    replace = Run.replace
    for commits in (1, 2, 3, 4):
        left = iter(range(commits))

        def replace_until_killed(self, *arguments, left=left):
            if next(left, None) is None:
                raise KeyboardInterrupt
            replace(self, *arguments)

        monkeypatch.setattr(Run, "replace", replace_until_killed)
        with pytest.raises(KeyboardInterrupt):
            ingest(source, corrected, settings=LENIENT)
        monkeypatch.setattr(Run, "replace", replace)
        assert {table.name: rows(table) for table in WRITTEN_IN_TURN} == before, commits
    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(Run, "finish", killed_before_the_run_is_published)
        ingest(source, corrected, settings=LENIENT)
    assert {table.name: rows(table) for table in WRITTEN_IN_TURN} == before
    ingest(source, corrected, settings=LENIENT)
    assert [(row["loan_id"], row["state"]) for row in rows(PERFORMANCE)] == [("1", "prepaid"), ("2", "dpd30")]
    assert [row["loan_id"] for row in rows(TERMINATIONS)] == ["1"]
    assert len(rows(QUARANTINE)) == 2
    assert_reconciled(rows(DELIVERIES), {"performance": 2})
