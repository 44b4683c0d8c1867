from pkgutil import iter_modules

import pytest

from loanbook.commands import COMMANDS
from loanbook.models import baselines
from loanbook.run_job import run_job
from loanbook.sql.duckdb import Warehouse
from loanbook.sql.spark_views import create_spark_views
from loanbook.sql.view_definitions import VIEWS, view_question, view_sql
from loanbook.tables.scores import SCORES
from tests.tiny_book import MONTHS, publish_training, save_model


def test_every_view_is_one_select_that_says_what_it_answers():
    for name in VIEWS:
        first, *rest = view_sql(name).splitlines()
        assert first.startswith("-- ")
        assert view_question(name).rstrip(".")
        assert ";" not in "".join(rest)


def test_scored_loans_show_every_probability_that_is_one_number():
    columns = {name: {line.strip().rstrip(",") for line in view_sql(name).splitlines()} for name in VIEWS}
    told = {column.name for column in SCORES.columns if column.type == "DOUBLE"}
    calibrated = {name for name in told if not name.endswith("_raw")}
    assert {"pd_24m", "prepayment_12m"} < calibrated
    assert calibrated <= columns["score_history"]
    assert calibrated - {"pd_6m", "pd_24m"} <= columns["latest_scores"]  # which are challengers'


def plain(value):
    if isinstance(value, float):
        return pytest.approx(value, rel=1e-12)
    if isinstance(value, dict):
        return sorted((key, plain(item)) for key, item in value.items())
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value


def in_order(rows):
    return sorted(rows, key=lambda row: [str(value) for value in row if not isinstance(value, float)])


def test_views_give_the_same_rows_in_spark_and_duckdb(make_run, scored):
    run = make_run()
    create_spark_views(run.read(SCORES, made_by="score-portfolio"), run.runs_before)
    warehouse = Warehouse(run.storage)
    for name in VIEWS:
        answer = warehouse.ask(f"SELECT * FROM {name}")
        frame = run.spark.table(name)
        assert answer.columns == frame.columns, name
        spark_rows = in_order([tuple(row) for row in frame.collect()])
        assert len(spark_rows) == len(answer.rows) > 0, name
        for mine, theirs in zip(in_order(answer.rows), spark_rows, strict=True):
            assert [plain(value) for value in mine] == [plain(value) for value in theirs], name


def test_averages_are_over_performing_loans_and_defaulted_ones_are_lines_of_their_own(make_run, scored):
    warehouse, result = Warehouse(make_run().storage), scored[1]
    for view in ("pd_by_delinquency", "pd_by_vintage", "pd_by_score_band"):
        rows = warehouse.ask(
            "SELECT book, SUM(loans), SUM(expected_defaults), MIN(mean_pd_12m)"
            f" FROM {view} GROUP BY 1 ORDER BY 1"
        ).rows
        assert rows[0] == ("defaulted", 2, None, 1.0)
        assert rows[1][:2] == ("performing", 38)
        assert rows[1][2] == pytest.approx(result["expected_defaults"], abs=1e-5)
    month = warehouse.ask(
        "SELECT performing, defaulted, expected_defaults FROM expected_defaults_by_month"
    ).rows
    assert month == [(38, 2, pytest.approx(result["expected_defaults"], abs=1e-5))]


def test_current_and_latest_scores_are_of_the_books_model_whatever_was_trained_or_scored_since(
    make_run, scored
):
    book, first = scored
    other = save_model(make_run(), "20991231", bias=2.0)
    publish_training(make_run("train_model"), other)

    def score(*overrides, model=None, month=None):
        version = None if model is None else model.version
        arguments = {"model": model and model.name, "model_version": version}
        result = run_job(
            make_run("score_portfolio", *overrides, as_of=month), COMMANDS["score-portfolio"], arguments
        )
        rows = (
            Warehouse(make_run().storage)
            .ask(
                "SELECT (SELECT STRING_AGG(DISTINCT model_version) FROM current_scores), model_version, "
                "is_book FROM scored_models ORDER BY model_version"
            )
            .rows
        )
        assert {row[0] for row in rows} == {row[1] for row in rows if row[2]}
        assert sum(row[2] for row in rows) == 1
        latest = Warehouse(make_run().storage).ask("SELECT DISTINCT model_version FROM latest_scores").rows
        return result["model_version"], result["model_role"], latest[0][0]

    assert first["model_role"] == "book"
    assert score(model=other) == (other.version, "challenger", book.version)
    assert score(model=book, month=MONTHS[0]) == (book.version, "book", book.version)
    chosen = f"score.model={other.name}/{other.version}"
    assert score(chosen, month=MONTHS[0]) == (other.version, "book", other.version)
    assert score(f"score.model={book.name}/{book.version}", model=book) == (
        book.version, "book", book.version
    )  # fmt: skip
    assert score(model=other, month=MONTHS[0]) == (other.version, "challenger", book.version)
    assert score() == (other.version, "book", other.version)  # nothing is set: the one trained last


TRAINED = """SELECT model_version, head, event, model_status, shortfalls, uncalibrated, best_predictor,
test_log_loss, test_log_loss_logistic, test_log_loss_cart, is_book FROM model_runs"""


def test_trained_models_are_listed_with_their_status_and_losses_and_which_is_the_books(make_run, scored):
    run = make_run("train_model")
    run.source, run.inputs = "tiny", {"features": 0}
    for name, loss in (("model", 0.5), ("logistic", 0.4)):
        run.metric(f"test_log_loss_{name}", loss)
    said = {
        "model": "tiny-net", "model_version": "20991231-0", "head": "default_12m",
        "event": "default, or worse",
        "model_status": "worse_than_constant",
        "shortfalls": ["worse_than_constant", "worse_than_logit", "off_level"],
        "uncalibrated": True, "reasons": ["worse than the constant baseline"],
        "best": {"predictor": "logistic", "because": "the least log loss on out_of_fold: model 0.5"},
        "earlier_origins": [{"fold": "fold1", "model_version": "20981231-0", "status": "insufficient"}],
    }  # fmt: skip
    run.finish(said)
    mine = (
        "20991231-0", "default_12m", "default, or worse", "worse_than_constant",
        "worse_than_constant, worse_than_logit, off_level", True, "logistic", 0.5, 0.4, None, False,
    )  # fmt: skip
    theirs = (scored[0].version, None, None, None, "", None, None, None, None, None, True)
    reader = make_run()
    assert Warehouse(reader.storage).ask(TRAINED).rows == [mine, theirs]
    create_spark_views(reader.read(SCORES, made_by="score-portfolio"), reader.runs_before)
    assert [tuple(row) for row in reader.spark.sql(TRAINED).collect()] == [mine, theirs]


def test_every_shipped_baseline_has_its_loss_among_the_trained_models():
    shipped = {item.name for item in iter_modules(baselines.__path__) if not item.name.startswith("_")}
    assert {f"test_log_loss_{name}" for name in shipped} <= set(
        view_sql("model_runs").replace(",", "").split()
    )
