import logging
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.models.inputs.fitting import fit_spec
from loanbook.models.inputs.fitting_sequences import has_history
from loanbook.models.inputs.spec import Candidate
from loanbook.settings.train import TrainSettings

ROWS = 4000
NUMERIC = [
    Candidate(name=name, expression=name, kind="numeric")
    for name in ("plain", "heavy", "rare", "same", "empty")
]
CATEGORICAL = [Candidate(name=name, expression=name, kind="categorical") for name in ("word", "few")]
TEXT = [Candidate(name=name, expression=name, kind="text") for name in ("note", "few")]


@pytest.fixture(scope="module")
def frame(spark: Any) -> Any:
    rng = np.random.default_rng(5)
    rows = ROWS
    plain = rng.normal(2, 3, rows)
    plain[:400] = np.nan
    data = pd.DataFrame(
        {
            "source": "s",
            "loan_id": [f"L{number}" for number in range(rows)],
            "as_of_date": date(2020, 1, 31),
            "plain": plain,
            "heavy": np.exp(rng.normal(3, 3, rows)),
            "rare": np.where(np.arange(rows) < 2, 3, 0),
            "same": 7,
            "empty": np.nan,
            "word": np.where(np.arange(rows) % 3 == 0, "b", np.where(np.arange(rows) % 3 == 1, "a", "c")),
            "note": np.where(
                np.arange(rows) < 50, "Zoo car car", np.where(np.arange(rows) < 70, "An ant", "car")
            ),
            "few": [f"o{number}" for number in range(rows)],
        }
    )
    return spark.createDataFrame(data).cache()


def test_constants_of_the_first_layers(
    frame: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("loanbook"), "propagate", True)
    with caplog.at_level(logging.INFO, "loanbook"):
        spec = fit_spec(frame, NUMERIC, CATEGORICAL, TrainSettings(), rows=ROWS)
    fitted = {item.name: item for item in spec.numeric}
    assert set(fitted) == {"plain", "heavy", "rare"}
    assert "input same is left out: constant" in caplog.text
    assert "input empty is left out: missing" in caplog.text
    assert "input few is left out" in caplog.text

    values = frame.select("plain", "heavy").toPandas()
    plain = values["plain"].dropna().clip(fitted["plain"].low, fitted["plain"].high)
    assert fitted["plain"].missing_share == pytest.approx(0.1)
    assert fitted["plain"].mean == pytest.approx(plain.mean())
    assert fitted["plain"].std == pytest.approx(plain.std(ddof=0))
    assert fitted["plain"].low == pytest.approx(np.quantile(plain, 0.001), abs=0.3)
    assert fitted["heavy"].log
    assert not fitted["plain"].log
    heavy = np.log1p(values["heavy"].clip(fitted["heavy"].low, fitted["heavy"].high))
    assert fitted["heavy"].mean == pytest.approx(heavy.mean())
    assert np.log1p(fitted["heavy"].fill) == pytest.approx(fitted["heavy"].mean)
    for name, taken in (("plain", plain), ("heavy", heavy)):
        first, median, third = np.percentile(taken, [25, 50, 75])
        assert fitted[name].median == pytest.approx(median, abs=0.01)
        assert fitted[name].spread == pytest.approx(third - first, abs=0.02)


def test_a_rare_count_is_not_clipped_away(frame: Any) -> None:
    spec = fit_spec(frame, NUMERIC, [], TrainSettings(), rows=ROWS)
    rare = next(item for item in spec.numeric if item.name == "rare")
    assert (rare.low, rare.high) == (0, 3)
    assert rare.edges == (0, 3)
    assert (rare.median, rare.spread) == (0, 1.5)  # quartiles agree, so half of the range


def test_bins_hold_as_many_training_rows_each(frame: Any) -> None:
    spec = fit_spec(frame, NUMERIC, [], TrainSettings(), rows=ROWS)
    plain = next(item for item in spec.numeric if item.name == "plain")
    known = frame.select("plain").toPandas()["plain"].dropna()
    assert (plain.edges[0], plain.edges[-1]) == (plain.low, plain.high)
    counts, _ = np.histogram(known.clip(plain.low, plain.high), plain.edges)
    assert len(counts) == 48
    assert max(counts) - min(counts) <= 6


def test_vocabulary_by_count_then_name(frame: Any) -> None:
    spec = fit_spec(frame, NUMERIC, CATEGORICAL, TrainSettings(max_vocabulary=2), rows=ROWS)
    assert [(item.name, item.vocabulary) for item in spec.categorical] == [("word", ("b", "a"))]


def test_words_by_the_loans_that_have_them_then_by_name(
    frame: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("loanbook"), "propagate", True)
    months = frame.unionByName(
        frame.where("note = 'An ant'").withColumn("as_of_date", F.lit(date(2020, 2, 29)))
    )
    settings = TrainSettings(vocabulary_min_rows=20, text_tokens=7)
    with caplog.at_level(logging.INFO, "loanbook"):
        (note,) = fit_spec(months, NUMERIC, [], settings, rows=ROWS, text=TEXT).text
    assert (note.name, note.vocabulary, note.tokens) == ("note", ("car", "zoo", "an", "ant"), 7)
    assert "input few is left out" in caplog.text
    less = settings.model_copy(update={"vocabulary_min_rows": 21, "max_text_words": 1})
    for changed, vocabulary in (
        (less, ("car",)),
        (less.model_copy(update={"max_text_words": 3}), ("car", "zoo")),
    ):
        assert (
            fit_spec(months, NUMERIC, [], changed, rows=ROWS, text=TEXT[:1]).text[0].vocabulary == vocabulary
        )


def test_same_bits_however_the_rows_are_partitioned(frame: Any) -> None:
    settings = TrainSettings(spec_rows=1500)
    specs = [
        fit_spec(frame.repartition(parts, "heavy"), NUMERIC, CATEGORICAL, settings, rows=ROWS, text=TEXT)
        for parts in (1, 7)
    ]
    assert specs[0] == specs[1]


def test_no_input_left_is_refused(frame: Any) -> None:
    with pytest.raises(InputError, match="at least one numeric input that varies"):
        fit_spec(
            frame,
            [item for item in NUMERIC if item.name in ("same", "empty")],
            [],
            TrainSettings(),
            rows=ROWS,
        )


def test_what_only_the_last_month_knows_is_no_history(
    spark: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("loanbook"), "propagate", True)
    columns = {
        "states": "array<int>", "only_now": "array<int>", "balances": "array<double>",
        "balance_now": "array<double>", "same": "array<double>",
    }  # fmt: skip
    names = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    rows = [
        ("s", f"L{loan}", date(2020, 1, 31), float(loan), [0, 1, 2], [0, 0, 1 + loan % 3], [None, 1.0, 0.5],
         [None, None, float(loan)], [1.0, 1.0, 1.0])
        for loan in range(30)
    ]  # fmt: skip
    frame = spark.createDataFrame(rows, f"source string, loan_id string, as_of_date date, x double, {names}")
    number = [Candidate(name="x", expression="x", kind="numeric")]
    sequences = [Candidate(name=name, expression=name, kind="sequence") for name in columns]
    with caplog.at_level(logging.INFO, "loanbook"):
        spec = fit_spec(frame, number, [], TrainSettings(), rows=len(rows), sequence=sequences)
    assert [item.name for item in spec.sequences] == ["balances", "states"]
    for name in ("only_now", "balance_now"):
        assert f"input {name} is left out: no training row knows anything before the last step" in caplog.text
    assert "input same is left out: constant in every training row" in caplog.text
    assert not has_history(frame, ["only_now", "balance_now"])
    assert has_history(frame, ["only_now", "states"])
    assert has_history(frame, ["balances"])
