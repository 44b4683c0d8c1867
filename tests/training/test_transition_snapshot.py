"""The rows of a head whose next state trains and whose 12-month label judges."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyspark.sql import functions as F

from loanbook.book.state_moves import DESTINATIONS, StateMoves
from loanbook.models.heads import head
from loanbook.settings.book import DefaultDefinition
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.build import ensure_snapshot
from loanbook.training.snapshot.predicted import predicted_rows
from loanbook.training.snapshot.read import Snapshot
from loanbook.training.snapshot.sampling import kept_and_weight
from loanbook.warehouse.storage import Storage
from tests.training.conftest import request_for

BOOK = StateMoves.of(1, DefaultDefinition())
TRANSITION = replace(head("transition"), moves=BOOK)
CROSSED = TrainSettings(members=3)
KEYS = ["loan_id", "as_of_date"]


def changed(small_book: Any) -> Any:
    """Some loans lose their label to a gap, some their next state; one of the test months jumps to reo."""
    features, tables = small_book
    gap, last = F.col("loan_id") < "L00030", F.col("loan_id") > "L00280"
    jump = (F.col("loan_id") == "L00100") & (F.col("as_of_date") == F.lit("2012-03-31").cast("date"))
    labels = tables["labels"].withColumns(
        {
            "label_status": F.when(gap, "history_gap").otherwise(F.col("label_status")),
            "default_12m": F.when(~gap, F.col("default_12m")),
            "next_state": F.when(jump, "reo").when(~last, F.col("next_state")).otherwise("removed"),
        }
    )
    return features, {"labels": labels}


@pytest.fixture(scope="module")
def both(small_book: Any, snapshot_storage: Storage) -> tuple[Snapshot, Snapshot]:
    """The snapshots of the direct head and of transitions, of the same tables."""
    made = changed(small_book)
    direct, chained = (
        ensure_snapshot(
            snapshot_storage, request_for(head=one, settings=CROSSED, tables={"labels": 77}), *made
        )
        for one in (replace(head("default_12m"), moves=BOOK), TRANSITION)
    )
    return direct, chained


def test_it_is_judged_on_the_rows_of_the_direct_head_in_their_order(both: tuple[Snapshot, Snapshot]) -> None:
    direct, chained = both
    for sample in ("test", "out_of_fold"):
        for limit in (None, 301):
            one, other = (predicted_rows(made, sample, {}, limit).frame for made in both)
            assert len(one) > 300
            assert one[[*KEYS, "label"]].equals(other[[*KEYS, "label"]])
    assert direct.fold == chained.fold


def test_rows_with_either_train_and_say_which(both: tuple[Snapshot, Snapshot]) -> None:
    direct, chained = both
    rows, moves = chained.frame(chained.fold.samples["train"]), DESTINATIONS
    unlabelled, censored = rows["loan_id"] < "L00030", rows["loan_id"] > "L00280"
    assert rows["label"].isna().equals(unlabelled)
    assert (rows["next_state"] == -1).equals(censored)
    known = rows[~censored]
    assert set(known["next_state"]) == {moves.index(state) for state in ("current", "dpd30", "dpd90")}
    assert len(rows) == len(direct.frame(direct.fold.samples["train"])) + unlabelled.sum()
    sample = chained.manifest["samples"]["train"]
    assert (sample["rows"], sample["labelled"]) == (len(rows), int((~unlabelled).sum()))
    assert sample["default_rate"] == pytest.approx(rows["label"].mean())
    means = [chained.manifest["train"][name] for name in ("mean_label", "weighted_mean_label")]
    assert means == [pytest.approx(rows["label"].mean())] * 2
    assert chained.targets == ["next_state"]
    assert direct.frame(["test"])["next_state"].isin([*range(len(moves)), -1]).all()


def test_the_moves_of_the_training_rows_are_counted_and_what_contradicts_them(
    both: tuple[Snapshot, Snapshot],
) -> None:
    _, chained = both
    rows = chained.frame(chained.fold.samples["train"])
    moves = StateMoves.read(chained.manifest["measured"]["moves"])
    assert moves is not None
    counts = np.array(moves.counts)
    assert counts.sum() == (rows["next_state"] >= 0).sum()
    for origin in ("current", "dpd30"):
        for to in ("current", "dpd30"):
            alike = (rows["state"] == origin) & (rows["next_state"] == DESTINATIONS.index(to))
            assert counts[moves.origins.index(origin), DESTINATIONS.index(to)] == alike.sum() > 0
    assert chained.manifest["train"]["contradicting"] == 1  # the jump to reo, in the test months


def test_baselines_are_fitted_on_labelled_rows_alone(both: tuple[Snapshot, Snapshot]) -> None:
    direct, chained = (made.evidence(made.fold.members[0]).rows("train") for made in both)
    for name in ("numeric", "codes", "label", "weight", "next_state"):
        np.testing.assert_array_equal(getattr(direct, name), getattr(chained, name))
    assert not np.isnan(direct.label).any()


def test_thinning_leaves_out_loans_that_stay_current_and_nothing_else(
    spark: Any, both: tuple[Snapshot, Snapshot]
) -> None:
    columns = ["source", *KEYS, "state", "label", "next_state"]
    rows = both[1].frame(both[1].fold.samples["train"])[columns]
    frame = spark.createDataFrame(rows).withColumn("label", F.nanvl("label", F.lit(None)))
    kept, weight = kept_and_weight(TRANSITION, 0.2, 5)
    thinned = frame.where(kept).withColumn("weight", weight).toPandas()
    current = DESTINATIONS.index("current")
    stays = (rows["state"] == "current") & (rows["next_state"] == current) & (rows["label"] != 1)
    assert set(thinned["weight"]) == {1.0, 5.0}
    assert (thinned["weight"] == 1).sum() == (~stays).sum()
    assert (thinned["weight"] == 5).sum() == pytest.approx(0.2 * stays.sum(), rel=0.15)
