from datetime import date
from typing import Any

import pytest
from pyspark.sql import functions as F

from loanbook.book.months import month_number
from loanbook.errors import InputError
from loanbook.settings.train import TrainSettings
from loanbook.training.snapshot.fold import Fold, Member
from loanbook.training.snapshot.origins import origin_of, plan_folds
from loanbook.training.snapshot.splits import role_column, with_enough_defaults
from tests.training.books import month_ends

SETTINGS = TrainSettings(members=1)
CROSSED = TrainSettings(members=4)


def test_development_ends_the_horizon_before_the_test() -> None:
    fold = plan_folds(month_ends(48), 12, SETTINGS)[0]
    assert (fold.test_from, fold.test_to) == (date(2013, 1, 31), date(2013, 12, 31))
    assert (fold.development_from, fold.development_to) == (date(2010, 1, 31), date(2012, 1, 31))
    assert fold.reasons == ()


@pytest.mark.parametrize(("months", "test"), [(35, 12), (25, 7), (14, 1)])
def test_a_short_history_shrinks_the_test(months: int, test: int) -> None:
    fold = plan_folds(month_ends(months), 12, SETTINGS)[0]
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
    fold = plan_folds(cohorts, 12, SETTINGS)[0]
    assert (fold.test_from, fold.test_to) == (cohorts[-test], cohorts[-1])
    assert (fold.development_from, fold.development_to) == (cohorts[0], cohorts[-test - 4])
    assert fold.reasons == reasons
    earlier = [one.test_to for one in plan_folds(cohorts, 12, SETTINGS)[1:]]
    assert earlier == [cohorts[-1 - 4 * origin] for origin in range(1, 13 if quarters == 60 else 1)]


def test_no_room_for_a_test() -> None:
    fold = plan_folds(month_ends(12), 12, SETTINGS)[0]
    assert fold.test_from is None
    assert fold.development_to == month_ends(12)[-1]
    empty = plan_folds([], 12, SETTINGS)[0]
    assert empty.development_from is None
    assert empty.reasons == ("no matured cohort",)


def test_rolling_origins() -> None:
    folds = plan_folds(month_ends(60), 12, SETTINGS)
    assert [fold.name for fold in folds] == ["fold0", "fold1", "fold2"]
    assert [fold.test_from for fold in folds] == [date(2014, 1, 31), date(2013, 1, 31), date(2012, 1, 31)]
    assert [fold.test_to for fold in folds[1:]] == [date(2013, 12, 31), date(2012, 12, 31)]
    assert [fold.development_to for fold in folds] == [
        date(2013, 1, 31), date(2012, 1, 31), date(2011, 1, 31),
    ]  # fmt: skip
    with pytest.raises(InputError, match="number 3.*\n.*3 in the matured months"):
        origin_of(folds, 3)


@pytest.mark.parametrize(("months", "validated"), [(82, True), (81, False)])
def test_a_validation_period_leaves_three_horizons_of_development(months: int, validated: bool) -> None:
    settings = TrainSettings(members=4, validation_months=12)
    fold = plan_folds(month_ends(months), 12, settings)[0]
    assert fold.test_from is not None
    assert fold.development_to is not None
    if not validated:
        assert (fold.validation_from, fold.validation_to) == (None, None)
        assert fold.reasons[0].startswith("no validation period")
        assert fold.checked_on == "out_of_fold"
        return
    assert fold.validation_from is not None
    assert fold.validation_to is not None
    assert month_number(fold.validation_to) - month_number(fold.validation_from) == 11
    assert month_number(fold.test_from) - month_number(fold.validation_to) == 12
    assert month_number(fold.validation_from) - month_number(fold.development_to) == 12
    assert month_number(fold.development_to) - month_number(month_ends(1)[0]) == 35
    assert (fold.calibrated_on, fold.checked_on) == ("out_of_fold", "validation")
    assert fold.samples["validation"] == ("validation",)
    assert fold.roles[-2:] == ("validation", "test")
    assert "validation" not in fold.samples["train"]


def test_few_defaults_leave_no_loans_for_calibration() -> None:
    fold = plan_folds(month_ends(48), 12, SETTINGS)[0]
    assert with_enough_defaults(fold, 200, 10, SETTINGS) == fold
    small = with_enough_defaults(fold, 199, 10, SETTINGS)
    assert small.shares == pytest.approx({"train": 0.85, "tune": 0.15})
    assert "too few" in small.reasons[0]


def test_each_member_is_fitted_without_the_part_that_stops_and_judges_it() -> None:
    fold = plan_folds(month_ends(48), 12, CROSSED)[0]
    parts = ("part_0", "part_1", "part_2", "part_3")
    assert fold.members[1] == Member(train=("part_0", "part_2", "part_3"), tune="part_1")
    assert [member.tune for member in fold.members] == list(parts)
    assert fold.samples == {"train": parts, "out_of_fold": parts, "test": ("test",)}
    assert (fold.calibrated_on, fold.checked_on) == ("out_of_fold", "out_of_fold")
    assert fold.roles == (*parts, "test")
    single = plan_folds(month_ends(48), 12, SETTINGS)[0]
    assert single.members == [Member(train=("train",), tune="tune")]
    assert list(single.samples) == ["train", "tune", "calibrate", "calibrate_check", "test"]


@pytest.mark.parametrize(
    ("defaulting", "others", "roles", "said"),
    [
        (30, 30, ["part_0", "part_1", "part_2", "part_3"], ()),
        (29, 900, ["train", "tune"], ("29 defaulting loans in development: too few for 4 members",)),
        (900, 29, ["train", "tune", "calibrate", "calibrate_check"], ("29 other loans in development",)),
    ],
)
def test_few_defaults_are_not_parted_among_members(
    defaulting: int, others: int, roles: list[str], said: tuple[str, ...]
) -> None:
    fold = plan_folds(month_ends(48), 12, CROSSED)[0]
    found = with_enough_defaults(fold, defaulting, others, CROSSED)
    assert list(found.shares) == roles
    assert sum(found.shares.values()) == pytest.approx(1)
    assert len(found.members) == (4 if not said else 1)
    for reason, start in zip(found.reasons, said, strict=False):
        assert reason.startswith(start)
    assert bool(found.reasons) == bool(said)


def test_many_parts_need_more_defaults_than_a_sample() -> None:
    settings = TrainSettings(members=20, min_defaults=1)
    fold = plan_folds(month_ends(48), 12, settings)[0]
    assert with_enough_defaults(fold, 120, 500, settings).is_crossed
    assert not with_enough_defaults(fold, 119, 500, settings).is_crossed


def test_roles_follow_borrowers_in_development_and_months_elsewhere(spark: Any) -> None:
    fold = plan_folds(month_ends(48), 12, SETTINGS)[0]
    number, text = F.col("id"), F.col("id").cast("string")
    borrower = F.when(number < 300, F.floor(number / 3).cast("string")).otherwise(text)
    loans = spark.range(3000).select(
        F.lit("s").alias("source"), text.alias("loan_id"), borrower.alias("borrower")
    )
    months = spark.createDataFrame([(day,) for day in month_ends(48)[::4]], "as_of_date date")
    rows = loans.crossJoin(months).withColumn("role", role_column(fold, seed=1)).toPandas()

    development = rows[rows["as_of_date"] <= fold.development_to]
    assert (development.groupby("borrower")["role"].nunique() == 1).all()
    assert development["borrower"].nunique() == 2800
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
    row = spark.sql("select 's' source, 'a' loan_id, 'a' borrower, date'2020-01-31' as_of_date")
    assert row.select(role_column(fold, 1).alias("role")).collect()[0]["role"] is None
