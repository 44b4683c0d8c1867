import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from loanbook.commands import COMMANDS
from loanbook.comparison.job import _fit_for
from loanbook.errors import InputError
from loanbook.models.artefact.chosen import TrainedModels
from loanbook.models.artefact.saved_artefacts import load_artefact
from loanbook.run_job import run_job
from loanbook.tables.evaluations import EVALUATIONS
from loanbook.training.job import train_model
from loanbook.warehouse.runs import Run
from tests.makers import MakeRun, run_maker
from tests.training.test_job import publish

pytestmark = pytest.mark.train

COMPARE = COMMANDS["compare-models"]
TRAIN = COMMANDS["train-model"]
QUICK = ("train.members=2", "train.epochs=1", "train.batch_size=256")


@pytest.fixture(scope="module")
def template(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A published book and the model trained on it: the warehouse's folder, and the training's result."""
    folder = tmp_path_factory.mktemp("compared")
    make = run_maker(folder)
    publish(make("build"), loans=150, months=48)
    return folder / "warehouse", run_job(make("train_model", *QUICK), TRAIN, asked("mlp_64_32"))


@pytest.fixture
def book(template: tuple[Path, dict[str, Any]], tmp_path: Path) -> dict[str, Any]:
    """The result of the book's training; the warehouse of ``make_run`` is a copy of the template."""
    folder, result = template
    shutil.copytree(folder, tmp_path / "warehouse")
    return result


def asked(model: str, challenger: bool = False) -> dict[str, Any]:
    """Return the arguments of a training."""
    return {"model": model, "workers": 1, "resume": False, "challenger": challenger}


def challenger(run: Run) -> str:
    """Return the version of the network that the comparison trained; its baselines were not fitted again."""
    rows = make_row_dicts(run)
    (row,) = [row for row in rows if row["model_name"] == "s-deep_five_layer"]
    assert row["model_role"] == "challenger"
    phases = json.loads(row["details"])["phase_seconds"]
    assert "worker_fit" in phases
    assert not {"worker_logistic", "worker_lightgbm"} & set(phases)
    return str(row["model_version"])


def make_row_dicts(run: Run) -> list[dict[str, Any]]:
    return [
        row.asDict()
        for row in run.spark.read.format("delta").load(f"{run.storage.paths.warehouse}/runs").collect()
    ]


def test_architectures_and_baselines_are_held_against_each_other(
    make_run: MakeRun, book: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    entered = {"models": "mlp_64_32,deep_five_layer,logistic,constant,lightgbm", "workers": 1}
    run = make_run("compare_models", *QUICK)
    found = run_job(run, COMPARE, entered)

    assert set(found["entrants"]) == {"mlp_64_32", "deep_five_layer", "logistic", "constant", "lightgbm"}
    assert found["trained"] == ["deep_five_layer"]  # the other one was there
    first_of_both, second = (
        load_artefact(run.storage, f"s-{name}", version)
        for name, version in (("mlp_64_32", book["model_version"]), ("deep_five_layer", challenger(run)))
    )
    assert second.baselines == ("logistic", "constant", "lightgbm")  # those that were asked for
    for name in second.baselines:
        assert second.files[f"{name}.onnx"] == first_of_both.files[f"{name}.onnx"]
    facts = first_of_both.json("metrics.json")["baselines"]
    assert second.json("metrics.json")["baselines"] == {name: facts[name] for name in second.baselines}
    assert found["best"] in found["entrants"]
    page = Path(found["report"]).read_text("utf-8")
    assert "deep_five_layer" in page
    assert found["conclusions"][0] in page
    assert page.count("stopped by") == 3 * 2  # two members each of two networks and of boosted trees
    rows = make_run().read(EVALUATIONS, made_by="x").toPandas()
    mine = rows[
        (rows["model_name"] == "s-comparison") & (rows["segment"] == "all") & (rows["sample"] == "test")
    ]
    losses = mine[mine["metric"] == "log_loss"].set_index("predictor")["estimate"]
    assert losses.to_dict() == {name: item["log_loss"] for name, item in found["entrants"].items()}

    # What the comparison trained is a challenger: the book's model is the one trained before it.
    later = make_run()
    models = TrainedModels(later.storage, later.published_runs, "s", later.settings.score)
    assert models.choose(None, None).version == book["model_version"]
    assert models.choose("s-deep_five_layer", None).name == "s-deep_five_layer"
    longer = make_run("train_model", *QUICK, "train.epochs=2", "train.baselines=[{name: constant}]")
    other = run_job(longer, TRAIN, asked("mlp_64_32", challenger=True))
    assert "training" in other["phase_seconds"]
    assert other["model_version"] != book["model_version"]
    latest = make_run("score_portfolio", "score.model=s-mlp_64_32")
    models = TrainedModels(latest.storage, latest.published_runs, "s", latest.settings.score)
    assert models.for_book(None, None).artefact.version == book["model_version"]  # no challenger by its name
    capsys.readouterr()
    again = run_job(make_run("compare_models", *QUICK), COMPARE, entered)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    training = {line[0]: line[-2] for line in lines if line and line[0] in found["entrants"]}
    assert set(training.values()) == {"s*"}  # each was trained before, and its seconds are known
    assert again["trained"] == []
    assert again["comparison"] == found["comparison"]
    after = make_run().read(EVALUATIONS, made_by="x").where("model_name = 's-comparison'").count()
    assert after == len(rows[rows["model_name"] == "s-comparison"])


def test_a_comparison_over_origins_pools_their_test_rows_and_says_who_taught(
    make_run: MakeRun, book: dict[str, Any]
) -> None:
    own = (
        "train.members=1", "train.epochs=1", "train.test_months=6", "train.folds=2", "train.min_defaults=3",
    )  # fmt: skip
    found = run_job(make_run("compare_models", *own), COMPARE, {"models": "distilled,constant", "workers": 1})
    rows = make_run().read(EVALUATIONS, made_by="x").where("sample = 'test' AND predictor = 'constant'")
    counts = {
        (row["fold"], row["segment"]): row["n"]
        for row in rows.where("metric = 'log_loss'").collect()
        if row["segment"] == "all" or row["segment"].startswith("origin=")
    }
    assert set(counts) == {("all", "all"), ("all", "origin=fold0"), ("all", "origin=fold1")}
    assert counts["all", "all"] == counts["all", "origin=fold0"] + counts["all", "origin=fold1"]
    page = Path(found["report"]).read_text("utf-8")
    assert "Test log loss by origin" in page
    assert "as of then" in page

    assert "distilled by lightgbm, whose PD counts 70%" in page
    (row,) = [row for row in make_row_dicts(make_run()) if row["model_name"] == "s-distilled"]
    artefact = load_artefact(make_run().storage, "s-distilled", str(row["model_version"]))
    assert artefact.json("settings.json")["model"]["teacher"] == {"name": "lightgbm"}


def test_a_challenger_that_is_trained_already_is_not_trained_again(
    make_run: MakeRun, book: dict[str, Any]
) -> None:
    again = train_model(make_run("train_model", *QUICK), model="mlp_64_32", workers=1, challenger=True)
    assert (again["model_version"], again["model_role"]) == (book["model_version"], "challenger")
    assert "training" not in again["phase_seconds"]


@pytest.mark.parametrize(
    ("models", "setting", "words"),
    [
        ("mlp_64_32,default_24m", "train.folds=1", "the same event within the same time"),
        ("mlp_64_32,transition", "train.negatives_kept=0.5", "heads that keep the same rows"),
    ],
)
def test_what_cannot_be_judged_together_is_refused_before_any_training(
    make_run: MakeRun, book: dict[str, Any], models: str, setting: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        run_job(make_run("compare_models", setting), COMPARE, {"models": models, "workers": 1})
    trained = [row["run_id"] for row in make_run().published_runs if row["job"] == "train_model"]
    assert trained == [book["run_id"]]


def test_all_is_all_that_the_tape_has_a_history_for(make_run: MakeRun, book: dict[str, Any]) -> None:
    def fit() -> list[str]:
        run = make_run()
        run.source = "s"
        return _fit_for(run, ["gru", "mlp_64_32"])

    assert fit() == ["gru", "mlp_64_32"]
    publish(make_run("build"), loans=10, months=1)  # in place of the book
    assert fit() == ["mlp_64_32"]


def test_a_chain_of_moves_is_held_against_the_direct_head_and_scores(
    make_run: MakeRun, book: dict[str, Any]
) -> None:
    run = make_run("compare_models", *QUICK)
    found = run_job(run, COMPARE, {"models": "mlp_64_32,transition,constant,matrix", "workers": 1})
    assert set(found["entrants"]) == {"mlp_64_32", "transition", "constant", "matrix"}
    losses = {name: figures["log_loss"] for name, figures in found["entrants"].items()}
    assert losses["transition"] < 1.2 * losses["constant"]

    row = next(row for row in make_row_dicts(run) if row["model_name"] == "s-transition")
    artefact = load_artefact(run.storage, "s-transition", row["model_version"])
    assert artefact.json("inputs.json")["measured"]["moves"]["period_months"] == 1
    (facts, *_) = artefact.json("metrics.json")["baselines"]["matrix"]
    assert facts["counted"] == "moves from one report to the next, 12 of them chained"
    assert artefact.head.outputs == 11
    scored = run_job(
        make_run("score_portfolio", "score.predictor=model"),
        COMMANDS["score-portfolio"],
        {"model": "s-transition", "model_version": None},
    )
    scores = run.spark.read.format("delta").load(f"{run.storage.paths.warehouse}/scores")
    methods = {row["pd_method"] for row in scores.select("pd_method").distinct().collect()}
    assert methods == {"chained"}
    assert scored["scores"] == scores.count()
    assert 0 < scored["mean_pd"] < 1
