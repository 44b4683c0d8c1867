from datetime import date
from typing import Any

import pytest
from pyspark.sql import functions as F

from loanbook.book.months import month_number
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.splits import Fold, plan_folds, role_column, with_enough_to_calibrate
from tests.training.books import month_ends

SETTINGS = TrainSettings()


def test_development_ends_the_horizon_before_the_test() -> None:
    (fold,) = plan_folds(month_ends(48), 12, SETTINGS)
    assert (fold.test_from, fold.test_to) == (date(2013, 1, 31), date(2013, 12, 31))
    assert (fold.development_from, fold.development_to) == (date(2010, 1, 31), date(2012, 1, 31))
    assert fold.reasons == ()


@pytest.mark.parametrize(("months", "test"), [(35, 12), (25, 7), (14, 1)])
def test_a_short_history_shrinks_the_test(months: int, test: int) -> None:
    (fold,) = plan_folds(month_ends(months), 12, SETTINGS)
    assert fold.test_from is not None
    assert fold.test_to is not None
    assert fold.development_from is not None
    assert fold.development_to is not None
    assert month_number(fold.test_to) - month_number(fold.test_from) + 1 == test
    assert month_number(fold.test_from) - month_number(fold.development_to) >= 12
    assert month_number(fold.development_to) - month_number(fold.development_from) + 1 >= test
    assert bool(fold.reasons) == (test < 12)


@pytest.mark.parametrize(
    ("quarters", "test", "reasons"),
    [
        (60, 4, ()),
        (11, 4, ()),
        (10, 3, ("9 test months instead of 12",)),
        (5, 1, ("3 test months instead of 12",)),
    ],
)
def test_twelve_months_of_a_quarterly_tape_are_four_cohorts(
    quarters: int, test: int, reasons: tuple[str, ...]
) -> None:
    cohorts = month_ends(3 * quarters)[2::3]
    (fold,) = plan_folds(cohorts, 12, SETTINGS)
    assert (fold.test_from, fold.test_to) == (cohorts[-test], cohorts[-1])
    assert (fold.development_from, fold.development_to) == (cohorts[0], cohorts[-test - 4])
    assert fold.reasons == reasons
    rolling = plan_folds(cohorts, 12, TrainSettings(folds=2))
    assert [one.test_to for one in rolling] == [cohorts[-1], *([cohorts[-5]] if quarters == 60 else [])]


def test_no_room_for_a_test() -> None:
    (fold,) = plan_folds(month_ends(12), 12, SETTINGS)
    assert fold.test_from is None
    assert fold.development_to == month_ends(12)[-1]
    (empty,) = plan_folds([], 12, SETTINGS)
    assert empty.development_from is None
    assert empty.reasons == ("no matured cohort",)


def test_rolling_origins() -> None:
    folds = plan_folds(month_ends(60), 12, TrainSettings(folds=4))
    assert [fold.test_from for fold in folds] == [date(2014, 1, 31), date(2013, 1, 31), date(2012, 1, 31)]


def test_few_defaults_leave_no_loans_for_calibration() -> None:
    (fold,) = plan_folds(month_ends(48), 12, SETTINGS)
    assert with_enough_to_calibrate(fold, 200, SETTINGS) == fold
    small = with_enough_to_calibrate(fold, 199, SETTINGS)
    assert small.shares == pytest.approx({"train": 0.85, "tune": 0.15})
    assert "too few" in small.reasons[0]


def test_roles_follow_loans_in_development_and_months_elsewhere(spark: Any) -> None:
    (fold,) = plan_folds(month_ends(48), 12, SETTINGS)
    loans = spark.range(3000).select(F.lit("s").alias("source"), F.col("id").cast("string").alias("loan_id"))
    months = spark.createDataFrame([(day,) for day in month_ends(48)[::4]], "as_of_date date")
    rows = loans.crossJoin(months).withColumn("role", role_column(fold, seed=1)).toPandas()

    development = rows[rows["as_of_date"] <= fold.development_to]
    assert (development.groupby("loan_id")["role"].nunique() == 1).all()
    shares = development["role"].value_counts(normalize=True)
    assert shares.to_dict() == pytest.approx(fold.shares, abs=0.03)
    assert (rows.loc[rows["as_of_date"] >= fold.test_from, "role"] == "test").all()
    gap = (rows["as_of_date"] > fold.development_to) & (rows["as_of_date"] < fold.test_from)
    assert gap.any()
    assert rows.loc[gap, "role"].isna().all()


def test_a_fold_without_windows_gives_no_role(spark: Any) -> None:
    fold = Fold(
        name="f",
        development_from=None,
        development_to=None,
        test_from=None,
        test_to=None,
        shares={"train": 1.0},
    )
    row = spark.sql("select 's' source, 'a' loan_id, date'2020-01-31' as_of_date")
    assert row.select(role_column(fold, 1).alias("role")).collect()[0]["role"] is None
