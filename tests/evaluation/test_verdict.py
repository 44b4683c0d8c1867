"""What is said in words of a ranking, a level and a comparison."""

import re
from dataclasses import replace

import numpy as np
import pytest

from loanbook.evaluation.assess import assess
from loanbook.evaluation.basis import OF_DEFAULT, on
from loanbook.evaluation.findings import OF_MODEL
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.verdict import verdict
from loanbook.models.calibration import sigmoid
from loanbook.settings.evaluate import EvaluateSettings
from tests.evaluation.rows import assessed, frame, made_up


def test_the_verdict_compares_with_baseline_and_truth():
    truth = {
        "rows": 1200,
        "rows_with_truth": 600,
        "log_loss": {"model": 0.30, "logistic": 0.34, "truth": 0.29},
        "kl": {"model": 0.012, "logistic": 0.03, "matrix": 0.04},
        "gap_closed": 0.7,
        "gap_closed_against": "matrix",
    }
    said = dict(
        verdict([row for row in assessed(600)[1] if row.sample == "test"], truth, "logistic", OF_MODEL)
    )
    assert list(said) == ["Ranking", "Level", "Scores", "Against the logistic baseline", "Against the truth"]
    assert "lower" in said["Against the logistic baseline"]
    assert (
        "0.29000 on 600 of the 1,200 rows, those that have a truth (the losses on these: model 0.30000, "
        "logistic 0.34000); the model is 0.01000 above it" in said["Against the truth"]
    )
    assert "0.01200 from the truth (mean KL), the baseline matrix 0.04000: 70%" in said["Against the truth"]


def test_a_level_that_is_right_in_the_mean_alone_is_not_called_right():
    whole, (_, odds) = made_up(3000), frame(3000)
    spread = sigmoid(1.9 * (odds + 2.0) - 2.6)
    spread *= whole.label.mean() / spread.mean()
    said = {}
    for name, pds in (("right", sigmoid(odds)), ("spread", spread)):
        part = Sample("test", whole.frame, whole.raw, {**whole.calibrated, "model": pds})
        rows = assess(part, "fold0", EvaluateSettings())
        said[name] = dict(verdict(rows, None, "logistic", OF_MODEL))["Level"]
    assert "is within the 95 % interval" in said["spread"]
    found = re.search(r"groups by PD.*?: (\d) too low .*?; (\d) too high", said["spread"])
    assert found is not None
    assert int(found[1]) >= 4
    assert int(found[2]) >= 1
    assert "The mean PD of each of the 10 groups by PD is within its own interval." in said["right"]


def level_of(part):
    return dict(verdict(assess(part, "fold0", EvaluateSettings()), None, "logistic", OF_MODEL))["Level"]


@pytest.mark.parametrize(
    ("slope", "said"),
    [(1.4, "too extreme: slope 0.7"), (0.6, "too near to each other: slope 1.6"), (1, None)],
)
def test_odds_that_are_spread_out_wrongly_are_said_to_be(slope, said):
    whole, (_, odds) = made_up(3000), frame(3000)
    level = level_of(replace(whole, calibrated={**whole.calibrated, "model": sigmoid(slope * odds)}))
    assert ("The odds are" in level) == (said is not None)
    if said:
        assert re.search(said + r"\d \(\d\.\d\d to \d\.\d\d\), where 1 is right\.", level)


@pytest.mark.parametrize(
    ("column", "kind", "worst"), [("state", "states", "dpd30"), ("vintage", "vintages", "2019")]
)
def test_a_level_that_is_wrong_in_a_state_or_a_vintage_names_it(column, kind, worst):
    whole, (_, odds) = made_up(3000), frame(3000)
    right = level_of(replace(whole, calibrated={**whole.calibrated, "model": sigmoid(odds)}))
    assert kind in right
    assert "further than chance" not in right.replace("no further", "")
    values = whole.state if column == "state" else whole.vintage
    wrong = sigmoid(odds + np.where(values == worst, -0.6, 0.0))
    level = level_of(replace(whole, calibrated={**whole.calibrated, "model": wrong}))
    assert re.search(rf"Of the \d {kind}, .* The worst is {column} {worst}, further than chance takes", level)


def test_of_pds_that_only_rank_no_level_is_said():
    rows = on(replace(OF_DEFAULT, rank_only="a case-control sample"), assessed(600)[1])
    said = dict(verdict([row for row in rows if row.sample == "test"], None, "logistic", OF_MODEL))
    assert "Level" not in said
