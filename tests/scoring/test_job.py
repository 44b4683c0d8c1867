from datetime import date

import pytest
from pyspark.sql import functions as F

from loanbook.commands import COMMANDS, run_job
from loanbook.errors import GateRefused, InputError
from loanbook.models.calibration import Calibration
from loanbook.models.inputs import model_inputs
from loanbook.scoring import job
from loanbook.scoring.book import scored_book
from loanbook.scoring.chosen_model import chosen_model
from loanbook.tables.features import FEATURES
from loanbook.tables.scores import SCORES
from loanbook.training.snapshot import matrices
from tests.scoring.tiny_book import (
    MONTHS,
    SPEC,
    feature_rows,
    number,
    publish_training,
    save_model,
)

SCORE = COMMANDS["score-portfolio"]
LAST = {"model": None, "model_version": None}


@pytest.fixture
def book(scored):
    """A scored warehouse's model."""
    return scored[0]


def without_run(rows):
    return sorted(({k: v for k, v in row.asDict().items() if k != "run_id"} for row in rows), key=str)


def scores(run):
    return {
        (row["loan_id"], row["as_of_date"]): row
        for row in run.read(SCORES, made_by="score-portfolio").collect()
    }


def test_the_udf_gives_what_the_model_gives_in_process(make_run, scored):
    artefact, result = scored
    run = make_run()
    features = run.read(FEATURES, made_by="x").where(
        (F.col("as_of_date") == F.lit(MONTHS[1])) & (F.col("default_status") == "performing")
    )
    frame = model_inputs(features, SPEC, keep=["loan_id"]).toPandas()
    raw, pd = artefact.predictor().predict(*matrices(frame, SPEC))
    found = scores(run)
    assert len(frame) == 38
    assert [found[loan, MONTHS[1]]["pd_12m_raw"] for loan in frame["loan_id"]] == raw.tolist()
    assert [found[loan, MONTHS[1]]["pd_12m"] for loan in frame["loan_id"]] == pd.tolist()
    assert result["expected_defaults"] == pytest.approx(pd.sum(), abs=1e-5)
    assert result["mean_pd"] == pytest.approx(pd.mean(), abs=1e-6)


def test_the_whole_book_is_scored_defaulted_loans_at_pd_1_and_flags_say_what_a_score_rests_on(
    make_run, scored
):
    result, found = scored[1], scores(make_run())
    rows = [row for row in feature_rows() if row["as_of_date"] == MONTHS[1]]
    assert result["as_of"] == str(MONTHS[1])
    assert result["scores"] == len(rows) == len(found)
    assert result["upb"] == float(sum(row["upb"] for row in rows if row["upb"] is not None))
    assert sum(row["loans"] for row in result["by_state"]) == len(rows)
    for loan, status in (("L007", "in_default"), ("L009", "probation")):
        row = found[loan, MONTHS[1]]
        assert (row["pd_12m"], row["pd_12m_raw"], row["pd_method"]) == (1.0, None, "in_default")
        assert row["default_status"] == status
    assert found["L001", MONTHS[1]]["pd_method"] == "direct"
    assert found["L005", MONTHS[1]]["quality_flags"] == ["stale"]
    assert found["L012", MONTHS[1]]["quality_flags"] == ["gap"]  # a check of its data, not of the model
    assert found["L003", MONTHS[1]]["quality_flags"] == ["incomplete"]  # no credit score
    assert found["L004", MONTHS[1]]["quality_flags"] == []  # half of the training rows lacked ltv too


def test_scores_of_a_weak_model_are_flagged_and_stand_beside_the_others(make_run, book):
    weak = save_model(
        make_run(), "20200229", calibration=Calibration(method="identity"), status="insufficient"
    )
    run_job(make_run("score_portfolio"), SCORE, {"model": weak.name, "model_version": weak.version})
    rows = make_run().read(SCORES, made_by="x").where(F.col("loan_id") == "L001").collect()
    flags = {row["model_version"]: row["quality_flags"] for row in rows}
    assert flags == {book.version: [], weak.version: ["uncalibrated", "insufficient"]}


def test_scoring_twice_gives_the_same_table(make_run, scored):
    before = scores(make_run())
    second = run_job(make_run("score_portfolio"), SCORE, LAST)
    after = scores(make_run())
    assert {row["run_id"] for row in after.values()} == {second["run_id"]} != {scored[1]["run_id"]}
    assert without_run(before.values()) == without_run(after.values())


def test_the_model_trained_last_scores_and_other_months_and_versions_stay(make_run, book):
    run_job(make_run("score_portfolio", as_of=MONTHS[0]), SCORE, LAST)
    other = save_model(make_run(), "20200229", bias=2.0)
    publish_training(make_run("train_model"), other)
    result = run_job(make_run("score_portfolio"), SCORE, LAST)
    assert result["model_version"] == other.version
    counts = make_run().read(SCORES, made_by="x").groupBy("as_of_date", "model_version").count().collect()
    assert {tuple(row) for row in counts} == {
        (MONTHS[0], book.version, 40), (MONTHS[1], book.version, 40), (MONTHS[1], other.version, 40)
    }  # fmt: skip


@pytest.mark.parametrize(
    ("as_of", "model", "message"),
    [
        (date(2019, 12, 31), LAST, "2019-12-31; the book runs from 2020-01-31 to 2020-02-29"),
        (None, {"model": "other", "model_version": None}, "models: tiny-net"),
        (None, {"model": None, "model_version": "1"}, "name the model too"),
    ],
)
def test_a_month_or_model_that_is_not_there_is_refused_and_changes_nothing(
    make_run, book, as_of, model, message
):
    before = make_run().published
    with pytest.raises(InputError, match=message):
        run_job(make_run("score_portfolio", as_of=as_of), SCORE, model)
    assert make_run().published == before


def other_spec():
    return SPEC.model_copy(update={"numeric": (number("credit_score"), number("income"))})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"catalogue_id": "another"}, "feature catalogue .* another"),
        ({"default_definition_id": "another"}, "default definition .* another"),
        ({"spec": other_spec()}, "no column income"),
    ],
)
def test_a_model_of_other_features_is_refused(make_run, book, changes, message):
    other = save_model(make_run(), stamp="20200229", **changes)
    with pytest.raises(InputError, match=f"(?s){message}"):
        run_job(make_run("score_portfolio"), SCORE, {"model": other.name, "model_version": other.version})


def test_without_a_trained_model_the_job_to_run_is_named(make_run):
    with pytest.raises(InputError, match="run train-model first"):
        chosen_model(make_run(), None, None)


def test_scores_that_are_not_the_whole_book_are_refused(make_run, book, monkeypatch):
    whole = scored_book
    monkeypatch.setattr(
        job, "scored_book", lambda features, *rest: whole(features.where("loan_id != 'L001'"), *rest)
    )
    before = make_run().published
    with pytest.raises(GateRefused, match="39 scores"):
        run_job(make_run("score_portfolio"), SCORE, LAST)
    assert make_run().published == before
