"""Knowledge as_known: each month's rows are those of a run that had only what was known by then."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from loanbook.book.months import last_day
from loanbook.features.catalogue.table import FEATURES
from loanbook.features.job import build_features
from loanbook.sources.job import ingest_tapes
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.neighbourhood import NEIGHBOURHOOD
from loanbook.tables.performance import PERFORMANCE
from tests.features.books import START, BookLoan, Rows, counts_of, loans_of, macro_of, plan_of, publish
from tests.features.partitions import STAMP, features_of, partition_of
from tests.features.test_job import BOOK, clean_log, refuse, rows_of
from tests.features.versions import (
    LATE_MONTH,
    MONTHS,
    cutoff,
    ingested,
    known,
    publish_versions,
    random_versions,
)
from tests.makers import MakeRun, run_maker
from tests.sources.tapes import write_feed, write_mapping

AS_KNOWN = "features.knowledge=as_known"
LAST = START + MONTHS - 1
MACRO = macro_of(("US", "mortgage_rate", month, 1, 3.5 + month / 9) for month in range(-12, MONTHS))
LOANS = [BookLoan(f"L{k:03}", 0, ("current",), {"region": ("CA", "TX", None)[k % 3]}) for k in range(80)]
VERSIONS = [
    row
    for loan in LOANS
    for row in random_versions(loan.loan_id, random.Random(loan.loan_id))  # noqa: S311 - no secret
]
STAGES = [START + 4, LATE_MONTH + 1, LAST]


@pytest.fixture(scope="module")
def tables(spark: SparkSession) -> dict[str, tuple[Rows, Rows]]:
    """Return the tables of what was known at each month's cut-off, on the days of the stages, and at last."""
    at_cutoffs = {
        f"{month}": known(VERSIONS, cutoff(VERSIONS, month), month) for month in range(START, LAST + 1)
    }
    stages = {f"stage {month}": known(VERSIONS, cutoff(VERSIONS, month), LAST) for month in STAGES}
    return ingested(spark, {**at_cutoffs, **stages, "today": VERSIONS})


def expected(tables: dict[str, tuple[Rows, Rows]], month: int) -> Rows:
    """Return a month's rows of a run with knowledge latest that had only what was known at its cut-off."""
    performance, loans = tables[str(month)][0], loans_of(LOANS)
    plan = plan_of(month, MACRO, first_month=month, counts=counts_of(performance, loans))
    partition = partition_of(performance, loans, plan)
    return features_of(partition, stamp=replace(STAMP, knowledge="as_known"))


def in_order(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: (row["as_of_date"], row["loan_id"]))


def features(make_run: MakeRun) -> Rows:
    return in_order([row.asDict() for row in make_run().read(FEATURES, made_by="test").collect()])


def whole_build(make_run: MakeRun, *settings: str) -> dict[str, Any]:
    run = make_run("build_features", *settings)
    return run.finish(build_features(run))


BUILT = (FEATURES, FEATURE_STATE, NEIGHBOURHOOD)


@pytest.fixture(scope="module")
def rebuilt(tables: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Rows]:
    """Return the tables that a build of every month makes of today's versions."""
    make_run = run_maker(tmp_path_factory.mktemp("rebuilt"))
    publish_versions(make_run, LOANS, tables["today"], LAST, MACRO)
    assert whole_build(make_run, AS_KNOWN)["months_made_again"] is None
    return rows_of(make_run(), *BUILT)


def test_a_month_is_what_was_known_when_it_was_first_reported(rebuilt: list[Rows], tables: Any) -> None:
    for month in range(START, LAST + 1):
        rows = [row for row in rebuilt[0] if row["as_of_date"] == last_day(month)]
        assert in_order(rows) == in_order(expected(tables, month)), last_day(month)
    assert {row["knowledge"] for row in rebuilt[0]} == {"as_known"}


def test_deliveries_in_order_give_the_bits_of_a_rebuild(
    make_run: MakeRun, rebuilt: list[Rows], tables: Any
) -> None:
    first: Rows = []
    for month in STAGES:
        published = [row for row in MACRO if row["known_on"] <= last_day(month)]
        publish_versions(make_run, LOANS, tables[f"stage {month}"], month, published)
        if month == LAST:  # a run that has no month to write leaves the corrections to the next
            assert brought_up_to(make_run, STAGES[0])["months_written"] == 0
        assert brought_up_to(make_run, month)["months_made_again"] is None
        first = first or features(make_run)
    assert rows_of(make_run(), *BUILT) == rebuilt
    # The first build saw none of the later deliveries.
    assert [row for row in features(make_run) if row["as_of_date"] <= last_day(STAGES[0])] == first


def brought_up_to(make_run: MakeRun, month: int) -> dict[str, Any]:
    run = make_run("build_features", AS_KNOWN, as_of=last_day(month))
    return run.finish(build_features(run))


def test_without_revisions_as_known_is_latest_and_restates_no_month(make_run: MakeRun) -> None:
    publish(make_run, BOOK, LAST, MACRO)
    panels = []
    for knowledge in ("latest", "as_known"):
        whole_build(make_run, f"features.knowledge={knowledge}")
        rows = features(make_run)
        assert {row.pop("knowledge") for row in rows} == {knowledge}
        panels.append(rows)
    assert panels[0] == panels[1]
    refuse(make_run("build_features", as_of=last_day(LAST)), "features.knowledge latest")
    publish(make_run, BOOK, LAST, [row | {"value": row["value"] + 1} for row in MACRO])
    restating = "macro known in months already built has changed(?s:.*)without --as-of"
    refuse(make_run("build_features", AS_KNOWN, as_of=last_day(LAST)), restating)
    before = make_run().published[PERFORMANCE.name]
    publish(make_run, BOOK, LAST, MACRO)
    clean_log(make_run(), PERFORMANCE, before)
    lost = "no longer kept(?s:.*)without --as-of"
    refuse(make_run("build_features", AS_KNOWN, as_of=last_day(LAST)), lost)


def test_ingested_corrections_change_the_months_from_which_they_were_known(
    make_run: MakeRun, tmp_path: Path
) -> None:
    source = write_mapping(tmp_path / "feed.yaml", slices="months")

    def ingest(period: str, rows: list[tuple[str, str, int]], day: str) -> None:
        run = make_run("ingest_tapes", "ingest.bounds.delinquent_share=[-1,1]", source=source)
        run.finish(ingest_tapes(run, tapes=[write_feed(tmp_path, period, rows)], delivered_at=day))

    ingest("202001", [("1", "202001", 0), ("2", "202001", 0)], "2020-02-03")
    ingest("202002", [("1", "202002", -1), ("2", "202002", 0)], "2020-03-03")
    third = [("1", "202001", 95), ("1", "202002", 0), ("1", "202003", 0), ("2", "202003", 0)]
    ingest("202003", third, "2020-04-03")
    whole_build(make_run, AS_KNOWN)
    found = {(row["loan_id"], str(row["as_of_date"])): row for row in features(make_run)}
    assert {key[1] for key in found if key[0] == "1"} == {
        "2020-01-31",
        "2020-03-31",
    }  # it had left, it seemed
    told = ("state", "default_status", "ever_90plus", "months_observed_12m")
    assert [found["1", "2020-01-31"][name] for name in told] == ["current", "performing", 0, 1]
    assert [found["1", "2020-03-31"][name] for name in told] == ["current", "probation", 1, 3]
    assert len([key for key in found if key[0] == "2"]) == 3
