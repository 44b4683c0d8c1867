import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F

from loanbook.commands import COMMANDS
from loanbook.errors import InputError
from loanbook.evaluation.measures import INSUFFICIENT
from loanbook.evaluation.metrics import ranking
from loanbook.models.inputs.rows import matrices
from loanbook.models.log_loss import log_loss
from loanbook.run_job import run_job
from loanbook.tables.evaluations import EVALUATIONS
from loanbook.tables.predictions import PREDICTIONS
from loanbook.warehouse.storage import published_folder, write_json
from tests.evaluation.rows import frame, made_up
from tests.evaluation.test_truth import write_truth
from tests.makers import run_maker
from tests.tiny_book import SPEC, publish_training, run_rows, save_model

EVALUATE = COMMANDS["evaluate-model"]
LAST = {"model": None, "model_version": None, "truth": None}


def named(artefact):
    """Return the arguments of the evaluation of one model."""
    return {**LAST, "model": artefact.name, "model_version": artefact.version}


def snapshot_rows(loans, seed=1):
    """Rows of a role with the inputs of the tiny model, which explain a part of the labels."""
    rows, odds = frame(loans, seed)
    return rows.assign(
        x_credit_score=(300 - 60 * odds + 400).astype(np.float32),
        x_ltv=np.float32("nan"),
        c_purpose=np.int32(1),
    )


def save_snapshot(run, name="snap", fold="fold0", **roles):
    with published_folder(run.storage.snapshot_folder(name)) as folder:
        write_json(folder / "spec.json", json.loads(SPEC.model_dump_json()))
        write_json(folder / "manifest.json", {"samples": {}, "train": {}, "spec": "", "targets": ["label"]})
        shares = {"train": 0.6, "tune": 0.2, "calibrate": 0.1, "calibrate_check": 0.1}
        empty = dict.fromkeys(("development_from", "development_to", "test_from", "test_to"))
        content = {"trained_fold": fold, "folds": [{"name": fold, "shares": shares, **empty}]}
        write_json(folder / "splits.json", content)
        for role, rows in roles.items():
            group = folder / f"role={role}" / "row_group=0"
            group.mkdir(parents=True)
            rows.to_parquet(group / "part-0.parquet", index=False)


def trained(make_run):
    """Return a tiny model, published, whose snapshot has a test sample and a calibration check."""
    save_snapshot(make_run(), test=snapshot_rows(300), calibrate_check=snapshot_rows(60, seed=9))
    artefact = save_model(make_run())
    publish_training(make_run("train_model"), artefact)
    return artefact


@pytest.fixture(scope="module")
def template(spark, tmp_path_factory):
    """A tiny model, judged once: the warehouse's folder, the model and what its evaluation found."""
    folder = tmp_path_factory.mktemp("judged")
    make = run_maker(folder)
    return folder / "warehouse", trained(make), run_job(make("evaluate_model"), EVALUATE, LAST)


@pytest.fixture
def judged(template, tmp_path):
    """The model and what its evaluation found; the warehouse of ``make_run`` is a copy of the template."""
    folder, artefact, result = template
    shutil.copytree(folder, tmp_path / "warehouse")
    return artefact, result


def test_a_model_is_judged_on_its_own_test_rows(template):
    folder, trained, result = template
    make_run = run_maker(folder.parent)
    rows = snapshot_rows(300)
    raw, pd = (found[:, 0] for found in trained.predictor().predict(*matrices(rows, SPEC)))
    assert (raw != pd).any()
    label, one = rows["label"].to_numpy(np.float64), np.ones(len(rows))
    assert (result["test_rows"], result["test_loans"]) == (900, 300)
    # The tiny model's weights are made up: the baseline beside it is better, and its level is wrong.
    assert (result["evaluation"], result["shortfalls"]) == (
        "worse_than_logit",
        ["worse_than_logit", "off_level"],
    )
    assert result["levels"]["model"][1] > 1 or result["levels"]["model"][2] < 1
    assert "worse than the logistic baseline" in Path(result["report"]).read_text("utf-8")
    assert result["log_loss"] == pytest.approx(log_loss(label, pd, one))
    curve = ranking(label, pd, one)
    assert curve is not None
    assert result["auc"] == pytest.approx(curve.auc)
    assert result["log_loss_of_baselines"]["logistic"] > 0
    assert result["log_loss_of_truth"] is None

    run = make_run()
    predictions = run.read(PREDICTIONS, made_by="x").toPandas()
    assert predictions.groupby(["predictor", "role"]).size().to_dict() == {
        ("model", "test"): 900, ("model", "calibrate_check"): 180,
        ("logistic", "test"): 900, ("logistic", "calibrate_check"): 180,
    }  # fmt: skip
    mine = predictions[(predictions["predictor"] == "model") & (predictions["role"] == "test")]
    assert sorted(mine["pd"]) == sorted(pd)
    assert sorted(mine["pd_raw"]) == sorted(raw)
    assert mine["outputs"].isna().all()  # a head of one output has nothing to add
    assert (run_rows(run)[-1]["source"], run_rows(run)[-1]["inputs"]) == (
        "tiny",
        {"features": 1, "labels": 1},
    )

    evaluations = run.read(EVALUATIONS, made_by="x")
    stored = evaluations.where("predictor = 'model' AND sample = 'test' AND segment = 'all'").collect()
    assert {row["metric"]: row["estimate"] for row in stored}["log_loss"] == result["log_loss"]
    page = folder / "_reports" / trained.name / trained.version / "report.html"
    assert result["report"] == str(page)
    assert f"<td>{result['log_loss']:.5f}<small>" in page.read_text()
    numbers = json.loads((page.parent / "evaluation.json").read_text())
    assert len(numbers["evaluations"]) == evaluations.count() == result["evaluations"]


def test_judging_twice_gives_the_same_tables_and_page(make_run, judged):
    first = judged[1]
    before = _content(make_run(), first)
    second = run_job(make_run("evaluate_model"), EVALUATE, LAST)
    assert second["report"] != first["report"]
    after = _content(make_run(), second)
    assert before[:2] == after[:2]
    assert before[2].replace(first["run_id"], second["run_id"]) == after[2]


def _content(run, result):
    tables = [
        sorted(map(str, run.read(table, made_by="x").collect())) for table in (PREDICTIONS, EVALUATIONS)
    ]
    return (*tables, Path(result["report"]).read_text())


def test_earlier_origins_are_judged_beside_the_model_and_delete_nothing(make_run, judged):
    trained, alone = judged
    assert alone["origins"] == []
    earlier = snapshot_rows(200, seed=3)
    earlier["as_of_date"] = [day.replace(year=day.year - 4) for day in earlier["as_of_date"]]
    save_snapshot(make_run(), "before", "fold1", test=earlier)
    back_test = save_model(make_run(), stamp="20180131", fold="fold1", snapshot="before", bias=2.9)
    save_model(make_run(), stamp="20180131", fold="fold1", tables={"features": 9, "labels": 1})  # of others

    result = run_job(make_run("evaluate_model"), EVALUATE, LAST)
    newest, before, together = result["origins"]
    assert [line["origin"] for line in result["origins"]] == ["fold0", "fold1", "all"]
    assert (newest["rows"], before["rows"], together["rows"]) == (900, 600, 1500)
    assert newest["log_loss"] == result["log_loss"] == alone["log_loss"]
    mean = (900 * newest["log_loss"] + 600 * before["log_loss"]) / 1500
    assert together["log_loss"] == pytest.approx(mean)
    assert together["difference"][0] == pytest.approx(
        together["log_loss"] - together["log_loss_of_reference"]
    )
    page = Path(result["report"]).read_text("utf-8")
    assert "From origin to origin" in page
    assert f"<td>{before['log_loss']:.5f}</td>" in page

    stored = make_run().read(PREDICTIONS, made_by="x").where("role = 'test' AND predictor = 'model'")
    of_version = {
        row["model_version"]: row["count"] for row in stored.groupBy("model_version").count().collect()
    }
    assert of_version == {trained.version: 900, back_test.version: 600}
    told = make_run().read(EVALUATIONS, made_by="x").where("segment = 'all' AND metric = 'auc'")
    assert {(row["model_version"], row["fold"]) for row in told.collect()} == {
        (trained.version, "fold0"), (trained.version, "all"), (back_test.version, "fold1"),
    }  # fmt: skip

    run_job(make_run("evaluate_model"), EVALUATE, named(back_test))
    again = make_run().read(PREDICTIONS, made_by="x").where("role = 'test' AND predictor = 'model'")
    assert again.count() == 1500


def test_the_truth_is_compared_on_the_same_rows(make_run, judged, tmp_path):
    trained, _ = judged
    part = made_up(300)  # the rows of the snapshot's test sample
    truth = write_truth(tmp_path / "truth", part, np.ones(900, bool))
    result = run_job(make_run("evaluate_model"), EVALUATE, {**LAST, "truth": str(tmp_path / "truth")})
    keys = list(zip(part.frame["loan_id"], part.frame["as_of_date"], strict=True))
    expected = log_loss(part.label, truth.loc[keys].to_numpy(np.float64), part.weight)
    assert result["log_loss_of_truth"] == pytest.approx(expected)
    assert result["truth_coverage"] == 1
    assert set(result["kl_to_truth"]) == {"model", "logistic"}
    assert (result["gap_closed"], result["gap_closed_against"]) == (None, None)  # no matrix, no constant
    whole = made_up(300)
    rates = (
        make_run().read(EVALUATIONS, made_by="x").where("metric = 'mean_to_truth' AND predictor = 'model'")
    )
    found = {row["segment"]: (row["estimate"], row["n"]) for row in rates.collect()}
    assert {name for name in found if "state" in name} == {f"state={one}" for one in set(whole.state)}
    assert sum(n for name, (_, n) in found.items() if "state" in name) == found["all"][1] == 900
    _, pds = (part[:, 0] for part in trained.predictor().predict(*matrices(snapshot_rows(300), SPEC)))
    of_truth = truth.loc[keys].to_numpy(np.float64)
    assert found["all"][0] == pytest.approx(pds.mean() / of_truth.mean())
    assert "Against the truth, part by part" in Path(result["report"]).read_text("utf-8")
    assert "(mean KL)" in Path(result["report"]).read_text("utf-8")
    stored = make_run().read(EVALUATIONS, made_by="x").where(F.col("predictor") == "truth")
    assert stored.where("metric = 'log_loss'").first()["estimate"] == pytest.approx(expected)


@pytest.mark.parametrize("roles", [{}, {"test": snapshot_rows(12)}])
def test_a_model_without_enough_test_rows_is_insufficient_and_the_page_says_so(make_run, judged, roles):
    save_snapshot(make_run(), "few", **roles)
    of_few = save_model(make_run(), stamp="20200229", snapshot="few")
    result = run_job(make_run("evaluate_model"), EVALUATE, named(of_few))
    assert (result["evaluation"], result["auc"], result["log_loss"]) == ("insufficient", None, None)
    assert "Insufficient." in Path(result["report"]).read_text()
    mine = make_run().read(EVALUATIONS, made_by="x").where(F.col("model_version") == of_few.version)
    methods = mine.select("method", "estimate").distinct().collect()
    assert [tuple(row) for row in methods] == [(INSUFFICIENT, None)]


def test_a_truth_of_default_is_not_compared_with_another_event(make_run, judged, tmp_path):
    outcome = {"definition": "late next month", "horizon_months": 1, "grain": "loan"}
    other = save_model(make_run(), stamp="20200229", head="tape_outcome", outcome=outcome)
    before = make_run().published
    with pytest.raises(InputError, match="a model of late next month, within 1 month"):
        run_job(make_run("evaluate_model"), EVALUATE, {**named(other), "truth": str(tmp_path)})
    assert make_run().published == before


@pytest.mark.parametrize("missing", ["snapshot", "truth"])
def test_without_its_snapshot_or_the_truth_nothing_is_written(make_run, judged, tmp_path, missing):
    arguments = {**LAST, "truth": str(tmp_path / "nowhere") if missing == "truth" else None}
    if missing == "snapshot":
        shutil.rmtree(make_run().storage.snapshot_folder("snap"))
    before = make_run().published
    with pytest.raises(InputError, match="snap" if missing == "snapshot" else "no folder"):
        run_job(make_run("evaluate_model"), EVALUATE, arguments)
    assert make_run().published == before
