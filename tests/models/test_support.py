from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from loanbook.models.inputs.fitting import fit_spec
from loanbook.models.inputs.model_inputs import model_inputs
from loanbook.models.inputs.rows import matrices
from loanbook.models.inputs.spec import Candidate, InputSpec
from loanbook.models.inputs.support import inputs_beyond, out_of_support, says_support
from loanbook.settings.train import TrainSettings
from tests.models.aging import NUMBERS, OTHERS, aging_book
from tests.models.specs import SPEC

INPUTS = [Candidate(name=name, expression=name, kind="numeric") for name in (*NUMBERS, *OTHERS)]


def as_features(spark: Any, book: pd.DataFrame) -> Any:
    months = [date(2015 + month // 12, month % 12 + 1, 28) for month in book["_month"]]
    loans = [f"L{loan}" for loan in book["_loan"]]
    frame = book.drop(columns=["_loan", "_month"]).assign(source="s", loan_id=loans, as_of_date=months)
    return spark.createDataFrame(frame.astype(dict.fromkeys(NUMBERS, np.int32)))


@pytest.fixture(scope="module")
def training(spark: Any) -> Any:
    return as_features(spark, aging_book(loans=500, seed=1)).cache()


@pytest.fixture(scope="module")
def spec(training: Any) -> InputSpec:
    return fit_spec(training, INPUTS, [], TrainSettings(), rows=training.count())


def share_beyond(book: pd.DataFrame, spec: InputSpec) -> float:
    numeric = book[[item.name for item in spec.numeric]].to_numpy(np.float32)
    return float(out_of_support(numeric, spec).mean())


def test_few_rows_like_those_of_training_and_most_of_an_aged_book_are_beyond(spec: InputSpec) -> None:
    assert share_beyond(aging_book(500, seed=1), spec) <= 0.02
    assert share_beyond(aging_book(2000, seed=2), spec) < 0.03
    assert share_beyond(aging_book(2000, seed=2, aged=12), spec) > 0.3
    assert share_beyond(aging_book(2000, seed=2, aged=36), spec) > 0.9


def test_a_clock_is_cut_off_at_its_quantile_and_other_whole_numbers_at_their_extremes(
    training: Any, spec: InputSpec
) -> None:
    book, fitted = aging_book(500, seed=1), {item.name: item for item in spec.numeric}
    assert (fitted["age"].low, fitted["age"].high) == (0, np.quantile(book["age"], 0.98))
    assert fitted["age"].high < book["age"].max()
    for name in ("late", "score"):
        assert (fitted[name].low, fitted[name].high) == (book[name].min(), book[name].max())
    whole = fit_spec(training, INPUTS, [], TrainSettings(clock_quantile=0), rows=training.count())
    assert {item.name: item.high for item in whole.numeric}["age"] == book["age"].max()


def test_other_numbers_are_supported_a_deviation_beyond_their_range(spec: InputSpec) -> None:
    book, fitted = aging_book(500, seed=1), {item.name: item for item in spec.numeric}
    score, income = fitted["score"], fitted["income"]
    assert score.least == pytest.approx(book["score"].min() - score.std, rel=1e-5)
    assert score.most == pytest.approx(book["score"].max() + score.std, rel=1e-5)
    assert income.log
    assert income.most == pytest.approx(book["income"].max() * np.exp(income.std), rel=1e-3)


def test_spark_names_the_inputs_beyond_of_the_rows_that_numpy_finds(spark: Any, spec: InputSpec) -> None:
    book = aging_book(60, seed=4, aged=12)
    book.loc[::7, ["age", "income"]] = [0, np.nan]  # missing is not beyond
    book.loc[::11, "income"] = np.inf  # nor what counts as missing
    book.loc[::5, "ratio_1"] = -50.0
    rows = as_features(spark, book).withColumn("beyond", inputs_beyond(spec))
    frame = model_inputs(rows, spec, keep=["beyond"]).toPandas()
    expected = out_of_support(matrices(frame, spec)[0], spec)
    assert (frame["beyond"].map(len) > 0).tolist() == expected.tolist()
    assert 0.2 < expected.mean() < 0.9
    assert set(np.concatenate(frame["beyond"])) > {"age", "observed", "longest_run", "ratio_1"}
    assert frame.loc[frame["x_ratio_1"] == -50, "beyond"].map(lambda names: "ratio_1" in names).all()
    assert not frame.loc[frame["x_income"].isna(), "beyond"].map(lambda names: "income" in names).any()


def test_a_model_of_an_earlier_version_says_nothing(spark: Any) -> None:
    assert not says_support(SPEC)
    (row,) = spark.range(1).select(inputs_beyond(SPEC).alias("beyond")).collect()
    assert row["beyond"] == []
    item = SPEC.numeric[0].model_dump(exclude={"least", "most"})
    assert type(SPEC.numeric[0]).model_validate(item) == SPEC.numeric[0]
