from datetime import date
from typing import Any

import pytest
from pyspark.sql import functions as F

from loanbook.errors import LoanbookError
from loanbook.models.heads import head
from loanbook.training.snapshot.sampling import check_thinning, kept_and_weight

HEAD = head("default_12m")


@pytest.fixture(scope="module")
def rows(spark: Any) -> Any:
    keys = [F.lit("s").alias("source"), F.col("id").cast("string").alias("loan_id")]
    month = F.lit(date(2020, 1, 31)).alias("as_of_date")
    label = (F.col("id") % 50 == 0).cast("int").alias("label")
    return spark.range(20_000).select("id", *keys, month, label).cache()


def test_every_positive_stays_and_the_weighted_mean_agrees(rows: Any) -> None:
    kept, weight = kept_and_weight(HEAD, 0.1, 3)
    thinned = rows.where(kept).withColumn("weight", weight)
    means = check_thinning((20_000, 20_000, 400), 19_600, thinned, 0.1)
    assert means["mean_label"] == pytest.approx(0.02)
    assert means["weighted_mean_label"] == pytest.approx(0.02, rel=0.05)
    counts = {
        row["label"]: (row["count"], row["weight"])
        for row in thinned.groupBy("label", "weight").count().collect()
    }
    assert counts[1] == (400, 1.0)
    assert counts[0][0] == pytest.approx(1960, abs=150)
    assert counts[0][1] == pytest.approx(10)


def test_a_lost_positive_or_a_wrong_weight_is_an_error(rows: Any) -> None:
    kept, weight = kept_and_weight(HEAD, 0.1, 3)
    thinned = rows.where(kept).withColumn("weight", weight)
    with pytest.raises(LoanbookError, match="kept 399 of 400 positives"):
        check_thinning((20_000, 20_000, 400), 19_600, thinned.where("id != 0"), 0.1)
    with pytest.raises(LoanbookError, match="undersampling"):
        check_thinning((20_000, 20_000, 400), 19_600, thinned.withColumn("weight", F.lit(1.0)), 0.1)


def test_a_share_of_one_keeps_all(rows: Any) -> None:
    kept, weight = kept_and_weight(HEAD, 1.0, 3)
    assert check_thinning(
        (20_000, 20_000, 400), 19_600, rows.where(kept).withColumn("weight", weight), 1.0
    ) == {
        "mean_label": 0.02,
        "weighted_mean_label": 0.02,
    }


def test_rows_without_a_label_are_in_no_mean(rows: Any) -> None:
    label = F.when(F.col("id") < 10_000, F.col("label"))
    kept, weight = kept_and_weight(HEAD, 1.0, 3)
    found = rows.withColumn("label", label).where(kept).withColumn("weight", weight)
    means = check_thinning((20_000, 10_000, 200), 20_000, found, 1.0)
    assert means == {"mean_label": 0.02, "weighted_mean_label": 0.02}
