"""The truth put in as a model is never flagged; a model that knows less than a baseline is."""

import numpy as np
import pytest

from loanbook.models.calibration import logit, sigmoid
from loanbook.models.clustered import Interval
from loanbook.models.shortfalls import log_loss_difference, said_of, shortfalls_of
from loanbook.models.together import Together

LOANS, MONTHS = 800, 6


def book(seed: int):
    """Loans over some months, the truth of their labels, and what a weaker model makes of them."""
    random = np.random.default_rng(seed)
    odds = np.repeat(random.normal(-2.5, 1.2, LOANS), MONTHS) + random.normal(0, 0.3, LOANS * MONTHS)
    truth = sigmoid(odds)
    label = (random.random(len(truth)) < truth).astype(np.float64)
    loan, month = np.repeat(np.arange(LOANS), MONTHS), np.tile(np.arange(MONTHS), LOANS)
    weaker = sigmoid(-2.5 + 0.7 * (odds + 2.5) + random.normal(0, 0.4, len(odds)))
    return label, truth, weaker, loan, month


def found(seed: int, model: str) -> list[str]:
    label, truth, weaker, loan, month = book(seed)
    constant = np.full(len(label), truth.mean())
    pds = {"truth": truth, "weaker": weaker, "constant": constant, "nonsense": sigmoid(-logit(truth) - 4)}
    against = {"constant": constant, "logistic": weaker}
    return shortfalls_of(
        {
            name: log_loss_difference(
                label, pds[model], other, np.ones(len(label)), Together(loan, month, 12)
            )
            for name, other in against.items()
        }
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_truth_is_never_flagged(seed: int) -> None:
    assert found(seed, "truth") == []


def test_a_model_that_is_its_baseline_is_not_flagged() -> None:
    assert found(1, "weaker") == []


def test_a_model_that_is_the_constant_is_worse_than_the_logit_alone() -> None:
    assert found(1, "constant") == ["worse_than_logit"]


def test_a_model_that_orders_the_wrong_way_round_is_worse_than_both() -> None:
    assert found(1, "nonsense") == ["worse_than_constant", "worse_than_logit"]


def test_a_baseline_that_was_not_fitted_is_not_held_against_a_model() -> None:
    assert shortfalls_of({"lightgbm": Interval(0.5, 0.4, 0.6)}) == []


def test_a_shortfall_is_said_with_its_figures() -> None:
    said = said_of("worse_than_constant", {"constant": Interval(0.008, -0.002, 0.018)})
    assert "worse than the constant baseline" in said
    assert "0.00800 higher (-0.00200 to 0.01800)" in said
