"""The snapshot of a head that reads outcomes: cut off, thinned by loans, blind to what came later."""

from typing import Any

import pytest
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.models.heads import head
from loanbook.settings.settings import load_settings
from loanbook.training.snapshot.build import ensure_snapshot
from loanbook.training.snapshot.read import Snapshot
from loanbook.warehouse.storage import Storage
from tests.models.test_follow_up import OUTCOMES
from tests.training.books import month_ends
from tests.training.conftest import SINGLE, request_for

MONTHS = month_ends(48)
LAST = MONTHS[-1]
CUT = MONTHS[24]  # of 36 matured months the last 12 test, and development ends 12 before them


def outcomes(spark: Any, small_book: Any, later: str = "none") -> Any:
    """A spell a loan: a default a month after its first label, or what comes later."""
    first = (
        small_book[1]["labels"]
        .where("default_12m = 1")
        .groupBy("loan_id")
        .agg(F.min("as_of_date").alias("m"))
    )
    rows = []
    for row in first.collect():
        place = MONTHS.index(row["m"])
        ends = MONTHS[place + 1]
        event = "default" if ends <= CUT else later
        rows.append(("s", row["loan_id"], MONTHS[0], event, None if event == "none" else ends, MONTHS[place]))
    known = {row[1] for row in rows}
    rows += [
        ("s", f"L{k:05d}", MONTHS[0], "none", None, LAST) for k in range(300) if f"L{k:05d}" not in known
    ]
    return spark.createDataFrame(rows, OUTCOMES)


def made(spark: Any, small_book: Any, folder: Any, later: str = "none", **changes: Any) -> Snapshot:
    features, tables = small_book
    storage = Storage(load_settings("local", [f"paths.warehouse={folder}"]).paths)
    request = request_for(head=head("term_structure"), **changes)
    return ensure_snapshot(
        storage, request, features, {**tables, "outcomes": outcomes(spark, small_book, later)}
    )


@pytest.fixture(scope="module")
def found(spark: Any, small_book: Any, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return made(spark, small_book, tmp_path_factory.mktemp("found"))


def test_targets_are_cut_off_where_development_ends_and_later_outcomes_change_nothing(
    spark: Any, small_book: Any, found: Snapshot, tmp_path: Any
) -> None:
    manifest = found.manifest
    assert manifest["known_until"] == {"development": str(CUT), "later": str(LAST)}
    assert found.fold.development_to == MONTHS[12]
    assert found.fold.test_from == MONTHS[24]
    assert found.targets == ["label", "months", "event"]
    assert 12 < manifest["measured"]["followed_months"] <= 24
    train = found.role_frame("train")
    left = train["as_of_date"].map(lambda day: 24 - MONTHS.index(day))
    assert (train["months"] <= left).all()
    assert (train["months"] > 0).any()
    test = found.role_frame("test")
    assert (test["months"] > 12).any()  # to the end of the tape
    changed = made(spark, small_book, tmp_path, later="default")
    key = ["loan_id", "as_of_date"]
    for role in ("train", "tune", "calibrate"):
        one, other = (of.role_frame(role).sort_values(key, ignore_index=True) for of in (found, changed))
        assert one[[*key, "label", "months", "event"]].equals(other[[*key, "label", "months", "event"]])


def test_whole_loans_are_thinned_and_never_months(
    spark: Any, small_book: Any, found: Snapshot, tmp_path: Any
) -> None:
    thinned = made(spark, small_book, tmp_path, settings=SINGLE.model_copy(update={"negatives_kept": 0.3}))
    all_rows, kept = found.role_frame("train"), thinned.role_frame("train")
    months = all_rows.groupby("loan_id").size()
    assert 0 < len(kept) < len(all_rows)
    assert kept.groupby("loan_id").size().equals(months[months.index.isin(kept["loan_id"])])
    with_event = all_rows[all_rows["event"] != 2]["loan_id"].unique()
    assert set(with_event) <= set(kept["loan_id"])
    weight = kept.groupby("loan_id")["weight"].agg(["min", "max"])
    assert (weight["min"] == weight["max"]).all()
    assert weight.loc[weight.index.isin(with_event), "max"].eq(1).all()


def test_a_source_without_outcomes_is_refused(spark: Any, small_book: Any, tmp_path: Any) -> None:
    features, tables = small_book
    storage = Storage(load_settings("local", [f"paths.warehouse={tmp_path}"]).paths)
    none = spark.createDataFrame([], OUTCOMES)
    with pytest.raises(InputError, match="run build-labels"):
        ensure_snapshot(
            storage, request_for(head=head("term_structure")), features, {**tables, "outcomes": none}
        )
