"""The scoring job: a month's book and a model in, one slice of ``scores`` out."""

from bisect import bisect_left
from datetime import date
from typing import Any, NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.book.tape_kind import TapeKind, tape_kind
from loanbook.errors import InputError
from loanbook.features.catalogue.table import FEATURES
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.chosen import Chosen, TrainedModels
from loanbook.models.artefact.fit_for import require_fit
from loanbook.models.artefact.rank_only import why_rank_only
from loanbook.models.best import Best
from loanbook.models.inputs.support import OUT_OF_SUPPORT, says_support
from loanbook.scoring.applications import applications
from loanbook.scoring.book import BEYOND, by_state, loans_beyond, measure, scored_book
from loanbook.scoring.gates import assert_probabilities, assert_whole_book
from loanbook.scoring.summary import OFTEN, beyond_support, totals
from loanbook.tables.columns import of_source, quoted
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.scores import SCORES
from loanbook.warehouse import delta
from loanbook.warehouse.runs import Run
from loanbook.warehouse.session import named


def score_portfolio(
    run: Run, *, model: str | None = None, model_version: str | None = None
) -> dict[str, Any]:
    """Score every loan in the book at ``run.as_of`` and replace that month, model version and scenario.

    Args:
        run: the job's run; without ``as_of`` the last month in the book is scored, or, of a tape that says
            once for each loan what became of it, every loan in its own month.
        model: name of a trained model, a challenger unless it is the book's; by default that of
            ``score.model``, else the one trained last on the source.
        model_version: version of its artefact; by default the last.

    Returns:
        Loans scored, UPB, expected defaults, mean PD of performing loans, how many of these are out of
        support, the month, the model, and a small table by state.

    Raises:
        InputError: nothing to score, a month not in the book, or a model that does not fit its features.
        GateRefused: scores and book do not agree, or a PD is no probability; no table is changed.
    """
    source = run.only_source(FEATURES, made_by="build-features")
    models = TrainedModels(run.storage, run.published_runs, source, run.settings.score)
    chosen = models.for_book(model, model_version)
    artefact = chosen.artefact
    tape = tape_kind(run.read_source(DELIVERIES, source), source)
    target = artefact.head
    part = _part(run, tape, own_month=target.is_of_tape)
    measured = measure(part.rows)
    require_fit(artefact, measured.ids, tape, chosen.by_name)
    why = why_rank_only(artefact, tape)
    best = artefact.scores_with(run.settings.score.predictor)
    scored = _score_rows(run, part.rows, artefact, best.predictor, rank_only=why is not None).persist()
    scores = SCORES.conform(scored.drop(BEYOND))
    try:
        with named(run.spark, f"score-portfolio: score {run.as_of}"):
            table = by_state(scores, target)
            beyond = _beyond(scored, table, artefact)
        assert_whole_book(measured, table)
        assert_probabilities(table)
        delta.assert_unique(scores, SCORES)
        run.replace(SCORES, scores, _slice(artefact, source, run.settings.score.scenario, part.month))
    finally:
        scored.unpersist()
    return {**_result(run, chosen, best, why, part.month is None, table), OUT_OF_SUPPORT: beyond}


def _beyond(scored: DataFrame, table: list[dict[str, Any]], artefact: Artefact) -> dict[str, Any] | None:
    """Return how many performing loans are out of support, by input where many; None of an older model."""
    if not says_support(artefact.spec):
        return None
    found = beyond_support(table)
    return found | {"inputs": loans_beyond(scored) if found["share"] > OFTEN else {}}


SHOWN = ("state", "loans", "expected_defaults", "mean_pd")


class _Part(NamedTuple):
    """Rows of features to score, and their month; None: each loan has its own."""

    rows: DataFrame
    month: date | None


def _part(run: Run, tape: TapeKind, own_month: bool) -> _Part:
    """Return what to score: the book of a month, or every application of a tape in its own month.

    Args:
        run: the job's run.
        tape: of the source.
        own_month: whether what is predicted is the tape's own outcome.

    Raises:
        InputError: the month is not in the book.
    """
    features = run.read(FEATURES, made_by="build-features").where(F.col("source") == tape.source)
    asked, run.as_of = run.as_of, _month(features, run.as_of, tape.source)
    of_applications = tape.outcome is not None and tape.outcome.is_of_applications
    if asked is not None or not (own_month and of_applications):
        return _Part(features.where(F.col("as_of_date") == F.lit(run.as_of)), run.as_of)
    performance = run.read(PERFORMANCE, made_by="ingest-tapes").where(F.col("source") == tape.source)
    return _Part(applications(features, performance), None)


def _result(
    run: Run, chosen: Chosen, best: Best, why: str | None, own_month: bool, table: list[dict[str, Any]]
) -> dict[str, Any]:
    artefact, predictor = chosen.artefact, best.predictor
    shown = [{name: row[name] for name in SHOWN} | {"upb": float(row["upb"])} for row in table]
    result = totals(shown)
    run.count("scores", result["scores"])
    if result["expected_defaults"] is not None:
        run.metric("expected_defaults", result["expected_defaults"])
    return {
        **result,
        "source": run.source,
        "as_of": str(run.as_of),
        "each_in_its_own_month": own_month,
        "model": artefact.name,
        "model_version": artefact.version,
        "model_role": chosen.role,
        "predictor": predictor,
        "predictor_because": best.because,
        "event": artefact.head.event,
        "rank_only": why is not None,
        "rank_only_because": why,
        "model_status": artefact.status,
        "model_reasons": artefact.json("metrics.json")["reasons"],
        "shortfalls": artefact.shortfalls(predictor),
        "uncalibrated": artefact.calibration(predictor).uncalibrated,
        "scenario": run.settings.score.scenario,
        "by_state": shown,
    }


def _score_rows(run: Run, book: DataFrame, artefact: Artefact, predictor: str, rank_only: bool) -> DataFrame:
    constants = {
        "rank_only": rank_only,
        "model_name": artefact.name,
        "model_version": artefact.version,
        "predictor": predictor,
        "scenario": run.settings.score.scenario,
        "calibration_id": artefact.calibration(predictor).id,
        "features_version": run.inputs[FEATURES.name],
        "run_id": run.run_id,
    }
    scored = scored_book(book, artefact, predictor, run.settings.score.batch_rows)
    return scored.withColumns({name: F.lit(value) for name, value in constants.items()})


def _slice(artefact: Artefact, source: str, scenario: str, month: date | None) -> str:
    equal = {"model_name": artefact.name, "model_version": artefact.version, "scenario": scenario}
    texts = [of_source(source), *(f"{name} = {quoted(value)}" for name, value in equal.items())]
    return " AND ".join(texts if month is None else [f"as_of_date = DATE'{month}'", *texts])


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
