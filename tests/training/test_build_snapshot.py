from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.models.heads import head
from loanbook.models.inputs.rows import matrices
from loanbook.training.snapshot.build import ensure_snapshot
from loanbook.training.snapshot.predicted import predicted_rows
from loanbook.training.snapshot.read import KEPT, Snapshot, open_snapshot, stamp_of
from loanbook.warehouse.storage import Storage
from tests.training.books import book
from tests.training.conftest import SINGLE, request_for


def test_every_row_is_accounted_for(snapshot: Snapshot) -> None:
    manifest = snapshot.manifest
    roles = {role: item["rows"] for role, item in manifest["samples"].items()}
    assert manifest["label_status"] == {"observed": 300 * 36, "not_matured": 300 * 12}
    assert sum(roles.values()) + manifest["rows_between_development_and_test"] == 300 * 36
    train = manifest["train"]
    assert train["rows"] == roles["train"]
    frame = snapshot.role_frame("train")
    assert len(frame) == train["rows"]
    fitted = snapshot.rows_fitted(snapshot.fold.members[0], 2)
    assert len(snapshot.training_files(snapshot.fold.members[0], 2)) * train["rows_of_group"] == fitted
    assert fitted > 0.98 * train["rows"]
    for role in ("tune", "calibrate", "calibrate_check", "test"):
        assert len(snapshot.role_frame(role)) == roles[role]


def test_a_head_reads_the_label_and_the_status_of_its_horizon(
    small_book: Any, snapshot_storage: Storage
) -> None:
    features, tables = small_book
    labels = tables["labels"]
    status = F.when(F.col("label_status") == "observed", "observed").otherwise("history_gap")
    with_both = labels.withColumns({"default_6m": F.col("default_12m"), "label_status_6m": status})
    half_year = replace(head("default_12m"), name="default_6m", label="default_6m", horizon_months=6)
    made = ensure_snapshot(snapshot_storage, request_for(head=half_year), features, {"labels": with_both})
    assert made.manifest["label"] == "default_6m"
    assert made.manifest["label_status"] == {"observed": 300 * 36, "history_gap": 300 * 12}


def test_loans_that_left_the_test_months_are_counted_by_the_state_before(
    small_book: Any, snapshot_storage: Storage
) -> None:
    features, tables = small_book
    left = F.col("loan_id") < "L00010"  # ten loans, removed after the first test months
    since, until = F.lit("2012-01-31").cast("date"), F.lit("2012-06-30").cast("date")
    gone = left & F.col("as_of_date").between(since, until)
    labels = tables["labels"].withColumns(
        {
            "label_status": F.when(gone, "censored").otherwise(F.col("label_status")),
            "default_12m": F.when(~gone, F.col("default_12m")),
        }
    )
    stayed = features.where(~left | (F.col("as_of_date") <= until))
    made = ensure_snapshot(snapshot_storage, request_for(tables={"labels": 9}), stayed, {"labels": labels})
    window = made.manifest["test_window"]
    tested = made.role_frame("test")
    last = stayed.where(left & (F.col("as_of_date") == until)).groupBy("state").count().collect()
    assert window["rows_of_leavers"] == 60
    assert window["default_rate"] == pytest.approx(tested["label"].mean())
    assert window["default_rate_regulatory"] == pytest.approx(tested["label"].sum() / (len(tested) + 60))
    assert window["leavers_by_state"] == {row["state"]: row["count"] for row in last}


def test_columns_and_keys_of_the_held_out_rows(snapshot: Snapshot) -> None:
    frame = snapshot.role_frame("test")
    spec = snapshot.spec
    assert list(frame.columns) == [
        *KEPT,
        "borrower",
        "label",
        "next_state",
        "weight",
        *spec.numeric_columns,
        *spec.code_columns,
    ]
    assert frame["as_of_date"].min().isoformat() == "2012-01-31"
    assert (frame["weight"] == 1).all()
    assert not frame.duplicated(["loan_id", "as_of_date"]).any()
    numeric, codes = matrices(frame, spec)
    assert [str(array.dtype) for array in (numeric, codes)] == ["float32", "int32"]
    assert np.isnan(numeric[:, 0]).mean() == pytest.approx(0.1, abs=0.02)
    assert stamp_of(snapshot.splits) == "20110131"


def test_held_out_rows_say_whether_they_are_out_of_support(snapshot: Snapshot) -> None:
    frame, found = snapshot.role_frame("test"), predicted_rows(snapshot, "test", {}).frame
    assert not set(snapshot.spec.numeric_columns) & set(found.columns)
    beyond = np.zeros(len(frame), bool)
    for item in snapshot.spec.numeric:
        beyond |= (frame[item.column] < item.least) | (frame[item.column] > item.most)
    assert found["out_of_support"].tolist() == beyond.tolist()
    assert 0 <= beyond.mean() < 0.05


def test_sequences_are_inputs_step_by_step(snapshot: Snapshot) -> None:
    spec, frame = snapshot.spec, snapshot.role_frame("train")
    (balances,), (states,) = spec.numeric_sequences, spec.categorical_sequences
    assert (balances.steps, states.steps, states.size) == (12, 12, 3)
    assert (balances.low, balances.high) == (0.88, 1.0)  # 13 months of development, 1 % paid in each
    first = frame[frame["as_of_date"] == min(frame["as_of_date"])]
    assert first[balances.columns[:-1]].isna().all(axis=None)
    assert (first[balances.columns[-1]] == 1).all()
    assert (first[states.columns[:-1]] == 0).all(axis=None)
    now = np.where(frame["state"] == "dpd30", 2, 1)
    np.testing.assert_array_equal(frame[states.columns[-1]], now)
    assert spec.numeric_sequences[0].missing_share == pytest.approx(66 / 13 / 12, abs=0.02)


@pytest.fixture(scope="module")
def changed(small_book: Any, snapshot: Snapshot, snapshot_storage: Storage) -> Snapshot:
    """Training rows are thinned; months after development have other balances, held-out loans other words."""
    features, tables = small_book
    later = F.col("as_of_date") > F.lit("2011-01-31").cast("date")
    held_out = ~F.col("loan_id").isin(snapshot.role_frame("train")["loan_id"].unique().tolist())
    words = F.create_map(F.lit("note"), F.lit("Later: refinance, later"))
    moved = features.withColumns(
        {
            "balance": F.when(later, F.col("balance") * 1000).otherwise(F.col("balance")),
            "text_inputs": F.when(held_out, words).otherwise(F.col("text_inputs")),
        }
    )
    thinning = SINGLE.model_copy(update={"negatives_kept": 0.5})
    request = request_for(settings=thinning, tables={"features": 2, "labels": 1})
    return ensure_snapshot(snapshot_storage, request, moved, tables)


def test_the_spec_is_of_training_rows_only(snapshot: Snapshot, changed: Snapshot) -> None:
    assert changed.spec == snapshot.spec
    assert changed.folder != snapshot.folder


def test_words_that_only_held_out_loans_have_are_unknown(snapshot: Snapshot, changed: Snapshot) -> None:
    assert [item.vocabulary for item in snapshot.spec.text] == [
        ("home", "reference", "to", "buy", "refinance")
    ]
    tune = changed.role_frame("tune")
    assert set(tune["t_note_0"]) == {5}
    assert set(tune["t_note_1"]) == {0}


def test_thinned_training_rows_carry_their_weight(snapshot: Snapshot, changed: Snapshot) -> None:
    frame = changed.role_frame("train")
    assert set(frame.groupby("label")["weight"].unique().explode()) == {1.0, 2.0}
    assert changed.manifest["train"]["thinned"] > 0
    assert changed.manifest["samples"] == snapshot.manifest["samples"]


def test_the_same_request_is_answered_from_disk(
    small_book: Any, snapshot: Snapshot, snapshot_storage: Storage
) -> None:
    before = (snapshot.folder / "manifest.json").stat().st_mtime_ns
    again = ensure_snapshot(snapshot_storage, request_for(), *small_book)
    assert again.folder == snapshot.folder
    assert (snapshot.folder / "manifest.json").stat().st_mtime_ns == before
    assert request_for(workers=4).snapshot_id == snapshot.id
    for changed in ({"seed": 18}, {"text_tokens": 5}, {"members": 2}, {"borrower": ("customer",)}):
        assert request_for(settings=SINGLE.model_copy(update=changed)).snapshot_id != snapshot.id
    assert open_snapshot(snapshot_storage, snapshot.id).manifest == snapshot.manifest


def test_a_snapshot_that_is_gone_is_refused(snapshot_storage: Storage) -> None:
    with pytest.raises(InputError, match="training snapshot nowhere"):
        open_snapshot(snapshot_storage, "nowhere")


def test_a_book_without_a_matured_month_still_has_a_spec(spark: Any, snapshot_storage: Storage) -> None:
    features, labels = book(spark, loans=20, months=10)
    young = ensure_snapshot(
        snapshot_storage, request_for(tables={"features": 3, "labels": 3}), features, {"labels": labels}
    )
    assert young.manifest["samples"]["train"]["rows"] == 0
    assert young.role_frame("train").empty
    assert young.role_frame("test").empty
    assert young.spec.numeric_columns
    assert stamp_of(young.splits) == "19700101"


def test_parts_hold_all_loans_of_development_each_once(crossed: Snapshot) -> None:
    parts = crossed.fold.samples["out_of_fold"]
    frames = {part: crossed.role_frame(part) for part in parts}
    loans = [set(frame["loan_id"]) for frame in frames.values()]
    assert sum(map(len, loans)) == len(set().union(*loans)) == 300
    assert crossed.manifest["samples"]["train"] == crossed.manifest["samples"]["out_of_fold"]
    assert crossed.manifest["samples"]["train"]["rows"] == sum(map(len, frames.values())) == 300 * 13
    limited = crossed.frame(parts, 90)
    assert limited["loan_id"].isin(loans[0]).sum() == 30
    assert (limited["borrower"] == limited["loan_id"]).all()


def test_the_loans_of_a_borrower_stay_together(
    small_book: Any, snapshot_storage: Storage, snapshot: Snapshot
) -> None:
    features, tables = small_book
    known = features.where("loan_id < 'L00200'").select("loan_id").distinct()
    borrowers = known.selectExpr("loan_id", "left(loan_id, 5) as borrower")
    settings = SINGLE.model_copy(update={"members": 3, "min_defaults": 5, "borrower": ("customer",)})
    made = ensure_snapshot(snapshot_storage, request_for(settings=settings), features, tables, borrowers)
    rows = made.frame(made.fold.samples["train"]).assign(
        part=np.repeat(
            made.fold.samples["train"], [len(made.role_frame(role)) for role in made.fold.samples["train"]]
        )
    )
    assert (rows.groupby("borrower")["part"].nunique() == 1).all()
    assert rows["borrower"].nunique() == 20 + 100
    counted, bad = made.manifest["samples"]["train"], rows[rows["label"] > 0]
    assert counted["defaulting_borrowers"] == bad["borrower"].nunique() < counted["defaulting_loans"]
    assert counted["defaulting_loans"] == bad["loan_id"].nunique()
    assert snapshot.role_frame("train")["borrower"].nunique() > 150
