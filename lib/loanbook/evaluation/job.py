"""The evaluation job: a model's held-out rows in; predictions, evaluations, JSON and a page out."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import functions as F

from loanbook.book.tape_kind import feature_ids, tape_kind
from loanbook.errors import InputError
from loanbook.evaluation.assess import assess, overall
from loanbook.evaluation.basis import basis_of, on
from loanbook.evaluation.judged import Judged
from loanbook.evaluation.publish import publish
from loanbook.evaluation.slices import ROLES, Slice, predicted_slice
from loanbook.evaluation.truth import TRUTH, Compared, with_truth
from loanbook.features.catalogue.table import FEATURES
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.chosen import chosen_model
from loanbook.models.artefact.fit_for import require_fit
from loanbook.tables.deliveries import DELIVERIES
from loanbook.training.snapshot.read import open_snapshot
from loanbook.warehouse.runs import Run

log = logging.getLogger(__name__)

RETURNED = ("auc", "gini", "ks", "log_loss", "brier", "calibration_slope", "calibration_in_the_large")


def evaluate_model(
    run: Run, *, model: str | None = None, model_version: str | None = None, truth: str | None = None
) -> dict[str, Any]:
    """Judge a model and the logit beside it on the rows that their training snapshot keeps for it.

    Args:
        run: the job's run.
        model: name of a trained model; by default the one trained last.
        model_version: version of its artefact; by default the last.
        truth: folder of a simulated book's truth, compared with after everything else is computed.

    Returns:
        The model, rows and metrics of the test slice (None where insufficient), and where the page is.

    Raises:
        InputError: no such model, one that does not fit the published data of its source, its snapshot is
            gone, or no truth in that folder.
    """
    artefact = chosen_model(run, model, model_version)
    inputs = artefact.json("inputs.json")
    _require_source(run, inputs["source"], artefact)
    run.source = inputs["source"]
    _require_fit(run, artefact)
    run.inputs = dict(inputs["tables"])
    snapshot, fold = open_snapshot(run.storage, artefact.snapshot_id), _fold(artefact)
    slices = [predicted_slice(artefact, snapshot, role) for role in ROLES]
    basis = basis_of(artefact)
    rows = [row for part in slices for row in assess(part, fold, run.settings.evaluate)]
    compared = _compared(slices[0], truth)
    if compared is not None:
        rows += overall(compared.part, TRUTH, fold, run.settings.evaluate)
    judged = Judged(artefact, fold, slices, on(basis, rows), compared, basis)
    page = publish(run, judged)
    return _result(run, judged, page)


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


def _fold(artefact: Artefact) -> str:
    return str(artefact.json("splits.json")["trained_fold"])


def _compared(test: Slice, truth: str | None) -> Compared | None:
    if truth is None:
        return None
    folder = Path(truth)
    if not folder.is_dir():
        raise InputError(
            required="--truth with the folder truth/ that simulate-tapes wrote",
            found=f"no folder {truth}",
            do="correct the path, or leave --truth out",
        )
    compared = with_truth(test, folder)
    if compared.coverage < 1 and len(test.label):
        log.warning(
            "%d of %d test rows have a truth: only these are compared",
            len(compared.part.label),
            len(test.label),
        )
    return compared


def _result(run: Run, judged: Judged, page: Path) -> dict[str, Any]:
    test = judged.slices[0]
    found = judged.whole("model")
    for name in RETURNED:
        if found[name] is not None:
            run.metric(name, float(found[name] or 0))
    # With a truth all three are of the rows that have one, so that they compare.
    losses: Mapping[str, float | None] = judged.losses_with_truth or {
        "model": found["log_loss"],
        "logit": judged.whole("logit")["log_loss"],
    }
    return {
        "source": run.source,
        "model": judged.artefact.name,
        "model_version": judged.artefact.version,
        "evaluation": "ok" if judged.sufficient(run.settings.evaluate) else "insufficient",
        "model_status": judged.artefact.status,
        "event": judged.basis.event,
        "held_out": judged.basis.held_out,
        "rank_only": judged.basis.rank_only is not None,
        "rank_only_because": judged.basis.rank_only,
        "test_rows": len(test.label),
        "test_loans": test.loans,
        "test_defaults": test.defaulting_loans,
        **{name: found[name] for name in RETURNED},
        "log_loss": losses["model"],
        "log_loss_of_logit": losses["logit"],
        "log_loss_of_truth": losses.get(TRUTH),
        "truth_coverage": judged.compared.coverage if judged.compared else None,
        "report": str(page),
    }
