import json
from datetime import date

import pytest
from pyspark.sql import functions as F

from loanbook.commands import COMMANDS
from loanbook.errors import GateRefused, InputError
from loanbook.evaluation.job import evaluate_model
from loanbook.features.catalogue.table import FEATURES
from loanbook.models.artefact.chosen import TrainedModels
from loanbook.models.calibration import Calibration
from loanbook.models.inputs.model_inputs import model_inputs
from loanbook.models.inputs.rows import matrices
from loanbook.run_job import run_job
from loanbook.scoring import job
from loanbook.scoring.book import scored_book
from loanbook.scoring.summary import summary_table
from loanbook.sql.duckdb import Warehouse
from loanbook.tables.scores import SCORES
from tests.tiny_book import MONTHS, SPEC, feature_rows, number, publish_tape, publish_training, save_model

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
    raw, pd = (found[:, 0] for found in artefact.predictor().predict(*matrices(frame, SPEC)))
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
    assert result["out_of_support"] is None  # the model's spec says nothing of it
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
    nothing = Calibration(method="none", insufficient=True)
    weak = save_model(make_run(), "20200229", calibration=nothing, status="insufficient")
    run_job(make_run("score_portfolio"), SCORE, {"model": weak.name, "model_version": weak.version})
    rows = make_run().read(SCORES, made_by="x").where(F.col("loan_id") == "L001").collect()
    flags = {row["model_version"]: row["quality_flags"] for row in rows}
    assert flags == {book.version: [], weak.version: ["uncalibrated", "insufficient"]}


def test_scores_of_a_model_that_a_baseline_beats_are_flagged_and_the_summary_says_so(make_run, book):
    beaten = save_model(
        make_run(), "20200229", status="worse_than_constant",
        shortfalls=["worse_than_constant", "worse_than_logit", "off_level"],
    )  # fmt: skip
    chosen = {"model": beaten.name, "model_version": beaten.version}
    result = run_job(make_run("score_portfolio"), SCORE, chosen)
    found = make_run().read(SCORES, made_by="x").where(F.col("loan_id") == "L001").collect()
    flags = {row["model_version"]: row["quality_flags"] for row in found}
    assert flags == {
        book.version: [],
        beaten.version: ["worse_than_constant", "worse_than_logit", "off_level"],
    }
    assert "the model is worse_than_constant and worse_than_logit and off_level" in summary_table(result)


def test_loans_beyond_the_training_rows_are_flagged_and_counted_by_input(make_run, book):
    assert book.json("spec.json")["numeric"][0]["most"] is None
    near = number("credit_score", least=567, most=900), number("ltv", 0.5, least=0, most=84)
    within = save_model(make_run(), "20200229", spec=SPEC.model_copy(update={"numeric": near}))
    chosen = {"model": within.name, "model_version": within.version}
    result = run_job(make_run("score_portfolio"), SCORE, chosen)
    rows = make_run().read(SCORES, made_by="x").where(F.col("model_version") == within.version).collect()
    flagged = sorted(row["loan_id"] for row in rows if "out_of_support" in row["quality_flags"])
    assert flagged == ["L000", "L035", "L036", "L037", "L038", "L039"]  # one by its score, five by ltv
    assert result["out_of_support"] == {
        "loans": 6, "share": 6 / 38, "inputs": {"ltv": 5, "credit_score": 1}
    }  # fmt: skip
    assert "6 loans (16%) lie outside what the model was trained on, mostly by ltv (5)" in summary_table(
        result
    )


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
        ({"knowledge": "as_known"}, "knowledge .*latest.* as_known"),
        ({"knowledge": None}, "nothing on record"),
        ({"period_months": 3}, "months of a period 1 .* trained on 3"),
        ({"spec": other_spec()}, "no column income"),
    ],
)
def test_a_model_of_other_features_is_refused(make_run, book, changes, message):
    other = save_model(make_run(), stamp="20200229", **changes)
    with pytest.raises(InputError, match=f"(?s){message}"):
        run_job(make_run("score_portfolio"), SCORE, {"model": other.name, "model_version": other.version})


def test_a_model_of_another_source_scores_only_where_it_is_named(make_run, book):
    other = save_model(make_run(), stamp="20200229", source="elsewhere")
    with pytest.raises(InputError, match="(?s)the source tiny.* trained on elsewhere"):
        run_job(make_run("score_portfolio", f"score.model={other.name}/{other.version}"), SCORE, LAST)
    named = {"model": other.name, "model_version": other.version}
    result = run_job(make_run("score_portfolio"), SCORE, named)
    assert (result["model_role"], result["scores"]) == ("challenger", 40)
    with pytest.raises(InputError, match="(?s)tiny.* trained on elsewhere.*leave out --source"):
        evaluate_model(make_run("evaluate_model", source="tiny"), **named)
    changed = save_model(make_run(), stamp="20200301", default_definition_id="another")
    with pytest.raises(InputError, match="(?s)default definition .* another"):
        evaluate_model(make_run("evaluate_model"), model=changed.name, model_version=changed.version)


NEXT_MONTH = {"definition": "late next month", "horizon_months": 1, "grain": "loan"}


def test_a_tapes_own_outcome_is_scored_once_a_loan_in_the_month_that_declares_it(make_run, book):
    publish_tape(make_run("ingest_tapes"), outcome=json.dumps(NEXT_MONTH))
    artefact = save_model(make_run(), stamp="20200229", head="tape_outcome", outcome=NEXT_MONTH)
    named = {"model": artefact.name, "model_version": artefact.version}
    result = run_job(make_run("score_portfolio"), SCORE, named)
    assert (result["scores"], result["event"]) == (40, "late next month, within 1 month")
    rows = make_run().read(SCORES, made_by="x").where(F.col("model_version") == artefact.version).collect()
    assert {row["loan_id"]: row["as_of_date"] for row in rows} == {
        f"L{k:03d}": MONTHS[0] if k < 10 else MONTHS[1] for k in range(40)
    }
    assert {row["pd_12m"] for row in rows} == {row["pd_12m_raw"] for row in rows} == {None}
    assert {(row["pd_method"], row["rank_only"]) for row in rows} == {("direct", False)}
    assert all(0 < row["pd_outcome"] < 1 for row in rows)  # of loans in default too: it may not come
    assert result["expected_defaults"] == pytest.approx(sum(row["pd_outcome"] for row in rows), abs=1e-4)
    month = run_job(make_run("score_portfolio", as_of=MONTHS[0]), SCORE, named)
    assert month["scores"] == 40
    another = save_model(
        make_run(), stamp="20200301", head="tape_outcome", outcome={**NEXT_MONTH, "horizon_months": 12}
    )
    with pytest.raises(InputError, match=r"(?s)outcome of the tape .*1 month.* trained on .*12 months"):
        run_job(make_run("score_portfolio"), SCORE, {"model": another.name, "model_version": another.version})


@pytest.mark.parametrize(
    ("changes", "sampling", "why"),
    [
        ({"method": "prior"}, None, "no labelled row"),
        ({"sampling": "case_control"}, None, "learnt from a case-control sample"),
        ({}, "case_control", "the loans are a case-control sample"),
    ],
)
def test_pds_that_only_rank_are_summed_up_nowhere(make_run, book, changes, sampling, why):
    if sampling:
        publish_tape(make_run("ingest_tapes"), sampling=sampling)
    chosen = save_model(make_run(), stamp="20200229", **changes)
    run = make_run("score_portfolio", f"score.model={chosen.name}/{chosen.version}")
    result = run_job(run, SCORE, LAST)
    assert why in result["rank_only_because"]
    assert (result["rank_only"], result["expected_defaults"], result["mean_pd"]) == (True, None, None)
    assert {(row["expected_defaults"], row["mean_pd"]) for row in result["by_state"]} == {(None, None)}
    warehouse = Warehouse(make_run().storage)
    sums = "mean_pd_12m, expected_defaults, mean_pd_outcome, expected_outcomes, rank_only"
    for view in ("pd_by_delinquency", "pd_by_vintage", "pd_by_score_band", "expected_defaults_by_month"):
        rows = warehouse.ask(f"SELECT DISTINCT {sums} FROM {view}").rows
        assert rows == [(None, None, None, None, True)], view
    assert warehouse.ask("SELECT COUNT(pd_12m) FROM latest_scores").rows == [(40,)]


def test_without_a_trained_model_the_job_to_run_is_named(make_run):
    with pytest.raises(InputError, match="run train-model first"):
        run = make_run()
        TrainedModels(run.storage, run.published_runs, run.source, run.settings.score).choose(None, None)


def test_scores_that_are_not_the_whole_book_are_refused(make_run, book, monkeypatch):
    whole = scored_book
    monkeypatch.setattr(
        job, "scored_book", lambda features, *rest: whole(features.where("loan_id != 'L001'"), *rest)
    )
    before = make_run().published
    with pytest.raises(GateRefused, match="39 scores"):
        run_job(make_run("score_portfolio"), SCORE, LAST)
    assert make_run().published == before


def test_scores_that_are_no_probabilities_are_refused(make_run, book, monkeypatch):
    whole = scored_book
    wrong = F.expr(
        "CASE loan_id WHEN 'L001' THEN CAST('NaN' AS DOUBLE) WHEN 'L002' THEN NULL "
        "WHEN 'L004' THEN 1.5D WHEN 'L005' THEN -0.1D ELSE pd_12m END"
    )
    monkeypatch.setattr(job, "scored_book", lambda *given: whole(*given).withColumn("pd_12m", wrong))
    before = make_run().published
    with pytest.raises(GateRefused, match="4 current"):  # each of the four counts
        run_job(make_run("score_portfolio"), SCORE, LAST)
    assert make_run().published == before
