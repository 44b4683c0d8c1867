from loanbook.models.best import best_of

LOSSES = {"model": 0.10, "logistic": 0.11, "constant": 0.20, "cart": 0.09}


def test_a_short_test_does_not_keep_development_from_choosing() -> None:
    assert best_of(LOSSES, {}, "out_of_fold", sufficient=True).predictor == "cart"


def test_what_is_worse_than_the_constant_on_the_test_rows_is_passed_over_and_named() -> None:
    found = best_of(LOSSES, {"cart": ["worse_than_constant"]}, "out_of_fold", sufficient=True)
    assert found.predictor == "model"
    assert "not cart: worse than the constant on the test rows" in found.because
    also_behind = best_of(LOSSES, {"cart": ["worse_than_logit"]}, "out_of_fold", sufficient=True)
    assert also_behind.predictor == "cart"


def test_of_few_defaults_the_model_scores_unless_the_constant_is_better() -> None:
    found = best_of(LOSSES, {}, "calibrate_check", sufficient=False)
    assert found.predictor == "model"
    assert "too few defaults on calibrate_check" in found.because
    assert best_of({**LOSSES, "constant": 0.05}, {}, "s", sufficient=False).predictor == "constant"
    worse = {"model": ["worse_than_constant"]}
    assert best_of(LOSSES, worse, "s", sufficient=False).predictor == "constant"
    assert best_of({"model": 0.1, "logistic": 0.05}, {}, "s", sufficient=False).predictor == "model"


def test_without_a_held_out_loan_it_is_the_model() -> None:
    assert best_of({}, {}, "out_of_fold", sufficient=False).predictor == "model"
