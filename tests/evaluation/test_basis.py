from loanbook.evaluation.assess import assess
from loanbook.evaluation.basis import LEVELS, Basis, on
from loanbook.evaluation.measures import INSUFFICIENT
from loanbook.evaluation.report import render
from loanbook.settings.evaluate import EvaluateSettings
from tests.evaluation.rows import made_up
from tests.evaluation.test_report import MODEL, findings

SETTINGS = EvaluateSettings()


def test_pds_that_only_rank_state_no_level_and_the_page_says_why():
    basis = Basis(rank_only="the loans are a case-control sample")
    rows = on(basis, assess(made_up(1200), "fold0", SETTINGS))
    levels = [row for row in rows if row.metric in LEVELS]
    assert levels
    assert {(row.estimate, row.low) for row in levels} == {(None, None)}
    assert {row.method for row in levels} == {"rank only: the loans are a case-control sample"}
    ranks = {row.metric: row for row in rows if (row.predictor, row.segment) == ("model", "all")}
    assert (ranks["auc"].method[:12], ranks["auc"].estimate is None) == ("Mann-Whitney", False)
    page = render(findings(600, rows=rows, basis=basis, model={**MODEL, "status": "ok"}))
    assert "Rank only." in page
    assert page.count("<img") == 2
    assert "mean PD was" not in page
    assert "By decile" not in page


def test_held_out_loans_are_named_in_method_and_page():
    basis = Basis(event="charged off, up to maturity", held_out="loans")
    rows = on(basis, assess(made_up(), "held_out_loans", SETTINGS))
    whole = {row.metric: row.method for row in rows if (row.predictor, row.segment) == ("model", "all")}
    assert whole["gini"] == "2 AUC - 1; on held-out loans, no later time"
    page = render(findings(600, rows=rows, basis=basis))
    assert "Probability of charged off, up to maturity." in page
    assert "Held-out loans." in page
    assert "ut of time" not in page
    few = on(basis, assess(made_up(loans=12), "held_out_loans", SETTINGS))
    assert {row.method for row in few} == {INSUFFICIENT}


def test_the_page_says_that_no_level_is_judged_of_a_mean_that_was_asked_for():
    page = render(findings(600, basis=Basis(central_tendency=0.02)))
    assert "The level is not judged: the mean PD of 2.000 % was asked for" in page
    assert "The level is not judged" not in render(findings(600))
