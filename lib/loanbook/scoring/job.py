"""The scoring job: a month's book and a model in, one slice of ``scores`` out."""

from bisect import bisect_left
from datetime import date
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import GateRefused, InputError
from loanbook.models.artefact import Artefact
from loanbook.models.heads import head
from loanbook.runs import Run
from loanbook.scoring.book import Measured, by_state, measure, scored_book
from loanbook.scoring.chosen_model import chosen_model
from loanbook.scoring.summary import totals
from loanbook.session import named
from loanbook.tables import base
from loanbook.tables.features import FEATURES
from loanbook.tables.scores import SCORES


def score_portfolio(
    run: Run, *, model: str | None = None, model_version: str | None = None
) -> dict[str, Any]:
    """Score every loan in the book at ``run.as_of`` and replace that month, model version and scenario.

    Args:
        run: the job's run; without ``as_of`` the last month in the book is scored.
        model: name of a trained model; by default the one trained last.
        model_version: version of its artefact; by default the last.

    Returns:
        Loans scored, UPB, expected defaults, mean PD of performing loans, the month, the model, and a small
        table by state.

    Raises:
        InputError: nothing to score, a month not in the book, or a model trained on other features.
        GateRefused: scores and book do not agree; no table is changed.
    """
    source = run.only_source(FEATURES, made_by="build-features")
    artefact = chosen_model(run, model, model_version)
    features = run.read(FEATURES, made_by="build-features").where(F.col("source") == source)
    run.as_of = _month(features, run.as_of, source)
    book = features.where(F.col("as_of_date") == F.lit(run.as_of))
    measured = measure(book)
    _require_same_features(measured, artefact)
    _require_pd(artefact)
    scores = _score_rows(run, book, artefact).persist()
    try:
        with named(run.spark, f"score-portfolio: score {run.as_of}"):
            table = by_state(scores)
        _require_whole_book(measured, table)
        base.assert_unique(scores, SCORES)
        run.replace(SCORES, scores, _slice(run, artefact, source))
    finally:
        scores.unpersist()
    return _result(run, artefact, [{**row, "upb": float(row["upb"])} for row in table])


def _result(run: Run, artefact: Artefact, table: list[dict[str, Any]]) -> dict[str, Any]:
    result = totals(table)
    run.count("scores", result["scores"])
    run.metric("expected_defaults", result["expected_defaults"])
    return {
        **result,
        "source": run.source,
        "as_of": str(run.as_of),
        "model": artefact.name,
        "model_version": artefact.version,
        "model_status": artefact.status,
        "uncalibrated": artefact.calibration().uncalibrated,
        "scenario": run.settings.score.scenario,
        "by_state": table,
    }


def _score_rows(run: Run, book: DataFrame, artefact: Artefact) -> DataFrame:
    constants = {
        "model_name": artefact.name,
        "model_version": artefact.version,
        "scenario": run.settings.score.scenario,
        "calibration_id": artefact.calibration().id,
        "features_version": run.inputs[FEATURES.name],
        "run_id": run.run_id,
    }
    scored = scored_book(book, artefact, run.settings.score.batch_rows)
    return SCORES.conform(scored.withColumns({name: F.lit(value) for name, value in constants.items()}))


def _slice(run: Run, artefact: Artefact, source: str) -> str:
    equal = {
        "source": source,
        "model_name": artefact.name,
        "model_version": artefact.version,
        "scenario": run.settings.score.scenario,
    }
    texts = [f"{name} = '{_escaped(value)}'" for name, value in equal.items()]
    return " AND ".join([f"as_of_date = DATE'{run.as_of}'", *texts])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _month(features: DataFrame, wanted: date | None, source: str) -> date:
    """Return the month to score.

    Raises:
        InputError: it is not in the book; the nearest months that are, are named.
    """
    months: list[date] = sorted(row[0] for row in features.select("as_of_date").distinct().collect())
    if wanted is None or wanted in months:
        return wanted or months[-1]
    at = bisect_left(months, wanted)
    near = " or ".join(str(month) for month in months[max(at - 1, 0) : at + 1])
    raise InputError(
        required=f"--as-of with a month in the book of {source}",
        found=f"{wanted}; the book runs from {months[0]} to {months[-1]}",
        do=f"name {near}, or deliver that month's tape and run build-features",
    )


def _require_same_features(book: Measured, artefact: Artefact) -> None:
    """Refuse a model of another catalogue or default definition than the book's features.

    Raises:
        InputError: names both.
    """
    trained_on = artefact.json("inputs.json")
    for name, what in (
        ("catalogue_id", "feature catalogue"),
        ("default_definition_id", "default definition"),
    ):
        ids = sorted(getattr(book, name))
        if ids != [trained_on[name]]:
            raise InputError(
                required=f"a model trained on the {what} {', '.join(ids)} of these features",
                found=f"{artefact.name} {artefact.version}, trained on {trained_on[name]}",
                do="run train-model on these features, or name a model trained on them",
            )


def _require_pd(artefact: Artefact) -> None:
    """Refuse a model whose head predicts anything but what the table of scores holds.

    Raises:
        InputError: names the output of the head.
    """
    output = head(artefact.json("settings.json")["model"]["head"]).output
    if output not in SCORES.column_names:
        raise InputError(
            required="a model whose head fills a column of scores",
            found=f"{artefact.name} {artefact.version}, whose head gives {output}",
            do="name a model with the head default_12m",
        )


def _require_whole_book(book: Measured, table: list[dict[str, Any]]) -> None:
    """Refuse scores that are not exactly the book.

    Raises:
        GateRefused: loans or unpaid balance differ.
    """
    found = (sum(row["loans"] for row in table), sum(row["upb"] for row in table))
    if found != (book.loans, book.upb):
        raise GateRefused(
            required=f"a score for each of the {book.loans} loans in the book, UPB {book.upb}",
            found=f"{found[0]} scores, UPB {found[1]}",
            do="run build-features again; if it stays, the book holds a loan twice",
        )
