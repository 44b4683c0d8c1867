"""The evaluation job: a model's held-out rows in; predictions, evaluations, JSON and a page out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import functions as F

from loanbook.book.tape_kind import feature_ids, tape_kind
from loanbook.errors import InputError
from loanbook.evaluation.assess import Evaluation, assess, overall
from loanbook.evaluation.basis import basis_of, on
from loanbook.evaluation.curves import Drawn, curve_rows, drawn_of, followed_of
from loanbook.evaluation.distance import distance_rows
from loanbook.evaluation.findings import findings_of
from loanbook.evaluation.judged import Judged
from loanbook.evaluation.levels import sample_levels
from loanbook.evaluation.origins import back_tests_of, pooled_rows
from loanbook.evaluation.publish import evaluations_of, frame_of, predictions_of, write_report
from loanbook.evaluation.sample import Sample, predicted_samples
from loanbook.evaluation.true_curves import (
    compared_columns,
    drawn_with_truth,
    prepayment_rows,
    true_curve_rows,
    true_curves,
)
from loanbook.evaluation.truth import TRUTH, compared_with, truth_folder
from loanbook.evaluation.vintages import with_vintages
from loanbook.features.catalogue.table import FEATURES
from loanbook.models.artefact.artefact import MODEL, Artefact
from loanbook.models.artefact.chosen import TrainedModels
from loanbook.models.artefact.fit_for import require_fit
from loanbook.models.head import Head
from loanbook.settings.evaluate import EvaluateSettings
from loanbook.tables.columns import quoted
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.evaluations import EVALUATIONS
from loanbook.tables.loans import LOANS
from loanbook.tables.predictions import PREDICTIONS
from loanbook.training.snapshot.fold import TEST
from loanbook.training.snapshot.read import Snapshot, open_snapshot
from loanbook.training.tracking import tracker_of
from loanbook.warehouse.runs import Run

RETURNED = (
    "auc", "auc_current", "gini", "ks", "log_loss", "brier", "calibration_slope", "calibration_in_the_large",
)  # fmt: skip


def evaluate_model(
    run: Run, *, model: str | None = None, model_version: str | None = None, truth: str | None = None
) -> dict[str, Any]:
    """Judge a model and the baselines beside it on the rows that their training snapshot keeps for it.

    Args:
        run: the job's run.
        model: name of a trained model; by default the one trained last.
        model_version: version of its artefact; by default the last.
        truth: folder of a simulated book's truth, compared with after everything else is computed.

    Returns:
        The model, rows and metrics of the test sample (None where insufficient), and where the page is.

    Raises:
        InputError: no such model, one that does not fit the published data of its source, its snapshot is
            gone, or no truth in that folder.
    """
    models = TrainedModels(run.storage, run.published_runs, run.source, run.settings.score)
    artefact = models.choose(model, model_version)
    inputs = artefact.json("inputs.json")
    _require_source(run, inputs["source"], artefact)
    run.source = inputs["source"]
    _require_fit(run, artefact)
    delivered, columns = delivered_to(run, inputs["source"]), compared_columns(artefact.head)
    folder_of_truth = truth_folder(truth, artefact.head, delivered, columns)
    run.inputs = dict(inputs["tables"])
    tracker = tracker_of(run.settings.tracking, run.storage)
    settings, snapshot = run.settings.evaluate, open_snapshot(run.storage, artefact.snapshot_id)
    fold, predicted = snapshot.fold, predicted_samples(artefact, snapshot, settings.development_rows)
    loans = run.read_source(LOANS, inputs["source"])
    samples = with_vintages(loans, predicted)
    basis = basis_of(artefact)
    rows = [row for part in samples for row in assess(part, fold.name, settings)]
    compared = compared_with(samples[0], folder_of_truth)
    if compared is not None:
        rows += overall(compared.part, TRUTH, fold.name, settings)
        rows += distance_rows(compared.part, fold.name, settings)
    curves, drawn = _curves(artefact.head, samples, snapshot, folder_of_truth, settings)
    rows += curves
    window = snapshot.manifest.get("test_window")
    asked = run.settings.score.predictor
    best = artefact.scores_with(asked if asked in artefact.predictors else "best")
    back_tests = back_tests_of(run.storage, artefact, loans, basis, settings)
    pooled = pooled_rows(samples[0], back_tests, basis, settings)
    levels = sample_levels(samples, basis, settings.min_defaults)
    judged = Judged(
        artefact, fold, samples, on(basis, rows), compared, basis, best, back_tests, pooled, levels, drawn
    )
    _publish(run, judged)
    findings = findings_of(judged, settings, run.run_id, window)
    folder = run.storage.report_folder(artefact.name, artefact.version)
    result = _result(run, judged, write_report(folder, judged, findings))
    if tracker is not None:
        tracker.add(artefact, result, folder)
    return {**result, "test_window": findings.window}


def _curves(
    target: Head,
    samples: Sequence[Sample],
    snapshot: Snapshot,
    truth: Path | None,
    settings: EvaluateSettings,
) -> tuple[list[Evaluation], list[Drawn]]:
    """Return what is measured and drawn of a model's curves; nothing of a model that has none."""
    fold, rows, drawn = snapshot.fold.name, list[Evaluation](), list[Drawn]()
    for of in followed_of(target, samples, snapshot.manifest):
        rows += curve_rows(of, fold, settings)
        drawn.append(drawn_of(of))
        if truth is None:
            continue
        if of.part.role == TEST:
            rows += prepayment_rows(of, truth, fold)
        found = true_curves(of, truth)
        if found is not None:
            rows += true_curve_rows(found, fold)
            drawn.append(drawn_with_truth(found))
    return rows, drawn


def _publish(run: Run, judged: Judged) -> None:
    """Replace the predictions and evaluations of the model and of its back-tests, and of no other."""
    judged_ones = [judged.artefact, *(one.artefact for one in judged.back_tests)]
    among = ", ".join(quoted(one.version) for one in judged_ones)
    where = f"model_name = {quoted(judged.artefact.name)} AND model_version IN ({among})"
    predictions, evaluations = predictions_of(judged), evaluations_of(judged)
    run.replace(PREDICTIONS, frame_of(run.spark, PREDICTIONS, predictions), where)
    run.replace(EVALUATIONS, frame_of(run.spark, EVALUATIONS, [evaluations]), where)
    run.count("predictions", sum(len(rows) for rows in predictions))
    run.count("evaluations", len(evaluations))


def _require_source(run: Run, source: str, artefact: Artefact) -> None:
    """Refuse to judge a model on the rows of another source than the one asked for.

    Raises:
        InputError: the model's own snapshot is of another source.
    """
    if run.source not in (None, source):
        raise InputError(
            required=f"a model trained on the source {run.source}",
            found=f"{artefact.name} {artefact.version}, trained on {source}, as its test rows are",
            do="leave out --source, or name a model trained on it",
        )


def _require_fit(run: Run, artefact: Artefact) -> None:
    """Refuse a model that does not fit what is published of its source, and could not score it.

    Raises:
        InputError: names what the data is and what the model was trained on.
    """
    if run.exists(FEATURES):
        source = str(run.source)
        features = run.read(FEATURES, made_by="build-features").where(F.col("source") == source)
        ids = feature_ids(features)
        if any(ids.values()):
            tape = tape_kind(run.read_source(DELIVERIES, source), source)
            require_fit(artefact, ids, tape, by_name=True)


def delivered_to(run: Run, source: str) -> Callable[[], list[tuple[str, str]]]:
    """Return what gives name and SHA-256 of the files ingested of a source, as far as these are known."""

    def files() -> list[tuple[str, str]]:
        found = run.read_source(DELIVERIES, source)
        return [] if found is None else [tuple(row) for row in found.select("file", "sha256").collect()]

    return files


def _result(run: Run, judged: Judged, page: Path) -> dict[str, Any]:
    test = judged.samples[0]
    found, distance = judged.whole(MODEL), judged.distance
    for name in RETURNED:
        if found[name] is not None:
            run.metric(name, float(found[name] or 0))
    # With a truth all are of the rows that have one, so that they compare.
    predictors = (MODEL, *test.baselines)
    losses: Mapping[str, float | None] = judged.losses_with_truth or {
        name: judged.whole(name)["log_loss"] for name in predictors
    }
    return {
        "source": run.source,
        "model": judged.artefact.name,
        "model_version": judged.artefact.version,
        "evaluation": judged.status(run.settings.evaluate),
        "shortfalls": judged.shortfalls,
        "levels": {
            name: [level.test.estimate, level.test.low, level.test.high]
            for name, level in judged.levels.items()
        },
        "model_status": judged.artefact.status,
        "reasons": judged.artefact.json("metrics.json")["reasons"],
        "validation_refused": judged.fold.validation_refused,
        "event": judged.basis.event,
        "held_out": judged.basis.held_out,
        "rank_only": judged.basis.rank_only is not None,
        "rank_only_because": judged.basis.rank_only,
        "test_rows": len(test.label),
        "test_loans": test.loans,
        "test_defaults": test.defaulting_loans,
        **{name: found[name] for name in RETURNED},
        "out_of_support": found.get("out_of_support"),
        "log_loss": losses[MODEL],
        "log_loss_of_baselines": {name: losses[name] for name in test.baselines},
        "log_loss_of_truth": losses.get(TRUTH),
        "kl_to_truth": distance.kl if distance else None,
        "gap_closed": distance.closed(MODEL) if distance else None,
        "gap_closed_against": distance.against if distance else None,
        "truth_coverage": judged.compared.coverage if judged.compared else None,
        "origins": judged.origins,
        "report": str(page),
    }
