"""What the report shows, gathered from an evaluation and its model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loanbook.code_version import code_version
from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.basis import OF_DEFAULT, Basis
from loanbook.evaluation.curves import Drawn
from loanbook.evaluation.distance import Distance
from loanbook.evaluation.judged import Judged
from loanbook.evaluation.sample import Sample
from loanbook.models.artefact.artefact import MODEL, Artefact
from loanbook.models.best import Best
from loanbook.settings.evaluate import EvaluateSettings

OF_MODEL = Best(predictor=MODEL, because="nothing else was fitted")


@dataclass(frozen=True)
class Findings:
    """What the page shows.

    Args:
        test: the test sample, with the truth as a predictor where all of its rows have one.
        rows: evaluations of every sample.
        samples: counts and months of each sample.
        truth: comparison with a simulated book's truth, or None.
        with_truth: the test rows that have a truth, or None.
        clustered: what the intervals of the whole test are clustered by, in words.
        window: default rates of the test months with and without loans that left, and the states that these
            left from; None where no months are held out, or no level is claimed.
        model: what the model is and what it was made from.
        reference: the baseline that the model is held against: the one that scores the book, if one does.
        best: which predictor scores the book, and why.
        basis: what was judged, and what may be said of it.
        status: of the model on the test rows.
        shortfalls: what the model falls short of, in words.
        of_best: the same of the predictor that scores the book, where that is not the model.
        level: of the model's PDs, in words; empty where none is claimed.
        refused: why there is no validation period though one was asked for.
        origins: what is said of each rolling origin and of all together; none where there is one.
        drawn: the mean curves of a model that has curves.
    """

    test: Sample
    rows: Sequence[Evaluation]
    samples: Sequence[Mapping[str, Any]]
    truth: Mapping[str, Any] | None
    model: Mapping[str, Any]
    settings: EvaluateSettings
    sufficient: bool
    reference: str = "logistic"
    best: Best = OF_MODEL
    basis: Basis = OF_DEFAULT
    with_truth: Sample | None = None
    clustered: str = ""
    window: Mapping[str, Any] | None = None
    status: str = "ok"
    shortfalls: Sequence[str] = ()
    of_best: Sequence[str] = ()
    level: str = ""
    refused: str | None = None
    origins: Sequence[Mapping[str, Any]] = ()
    drawn: Sequence[Drawn] = ()


def findings_of(
    judged: Judged, settings: EvaluateSettings, run_id: str, window: Mapping[str, Any] | None = None
) -> Findings:
    """Return what the page shows of an evaluation.

    Args:
        judged: what it found.
        settings: of the evaluation.
        run_id: of the run that made it.
        window: default rates and leavers of the test months, as the snapshot has them.
    """
    compared, test = judged.compared, judged.samples[0]
    of_model, best = judged.shortfalls_in_words(MODEL), judged.best.predictor
    whole_truth = compared is not None and compared.coverage == 1
    return Findings(
        test=compared.part if compared is not None and whole_truth else test,
        rows=judged.rows,
        samples=[counts_of(part) for part in judged.samples],
        truth=None
        if compared is None
        else {
            "rows": len(test.label),
            "rows_with_truth": len(compared.part.label),
            "log_loss": judged.losses_with_truth,
            **_distance(judged.distance),
        },
        model=_about(judged.artefact, run_id),
        window=None if judged.basis.rank_only else window,
        clustered=test.together.said,
        with_truth=None if compared is None else compared.part,
        settings=settings,
        sufficient=judged.sufficient(settings),
        reference=judged.reference,
        best=judged.best,
        basis=judged.basis,
        status=judged.status(settings),
        shortfalls=of_model,
        of_best=[] if best == MODEL else judged.shortfalls_in_words(best),
        level=str(judged.levels[MODEL]) if MODEL in judged.levels else "",
        refused=judged.fold.validation_refused,
        origins=judged.origins,
        drawn=() if judged.basis.rank_only else judged.drawn,
    )


def _distance(distance: Distance | None) -> dict[str, Any]:
    if distance is None:
        return {}
    return {"kl": distance.kl, "gap_closed": distance.closed(MODEL), "gap_closed_against": distance.against}


def counts_of(part: Sample) -> dict[str, Any]:
    """Return rows, loans, defaults and months of a sample."""
    months = sorted(set(part.month))
    return {
        "sample": part.role,
        "rows": len(part.label),
        "loans": part.loans,
        "defaults": int(part.label.sum()),
        "defaulting_loans": part.defaulting_loans,
        "defaulting_borrowers": part.defaulting_borrowers,
        "months": len(months),
        "first_month": str(months[0]) if months else None,
        "last_month": str(months[-1]) if months else None,
    }


def _about(artefact: Artefact, run_id: str) -> dict[str, Any]:
    inputs, metrics = artefact.json("inputs.json"), artefact.json("metrics.json")
    spec = artefact.spec
    inputs_taken = len(spec.numeric) + len(spec.categorical) + len(spec.text) + len(spec.sequences)
    tables = ", ".join(f"{name} version {version}" for name, version in sorted(inputs["tables"].items()))
    return {
        "name": artefact.name,
        "version": artefact.version,
        "source": inputs["source"],
        "uncalibrated": artefact.calibration().uncalibrated,
        "status": artefact.status,
        "reasons": metrics["reasons"],
        "network": artefact.name.removeprefix(f"{inputs['source']}-"),
        "lineage": {
            "Network": f"{metrics['parameters']:,} weights, {inputs_taken} inputs{_members(metrics)}",
            **_bootstrap(metrics),
            **_pruning(metrics),
            **_teacher(artefact),
            "Calibration": _calibration(artefact),
            "Training snapshot": f"{artefact.snapshot_id}, of {tables}",
            "Default definition": inputs["default_definition_id"],
            "Feature catalogue": inputs["catalogue_id"],
            "Evaluated by": f"{run_id}, loanbook {code_version()}",
        },
    }


def _members(metrics: Mapping[str, Any]) -> str:
    return f", mean of {metrics['members']} members" if metrics["members"] > 1 else ""


def _bootstrap(metrics: Mapping[str, Any]) -> dict[str, str]:
    if not metrics.get("bootstrap"):  # one of an earlier version says nothing of it
        return {}
    networks = len(metrics["epochs"])
    return {"Bootstrap": f"each of {networks} networks is fitted on borrowers drawn with replacement"}


def _pruning(metrics: Mapping[str, Any]) -> dict[str, str]:
    found = metrics.get("pruning", ())  # one of an earlier version says nothing of it
    each = [
        f"{len(one['kept'])} of {one['submodels']} ({one['loss_of_all']:.5f}, {one['loss_of_kept']:.5f})"
        for one in found
    ]
    said = "by network, in brackets the log loss of all and of those kept on the rows that chose them"
    return {"Submodels kept": f"{'; '.join(each)}: {said}"} if each else {}


def _teacher(artefact: Artefact) -> dict[str, str]:
    if artefact.teacher is None:
        return {}
    return {
        "Taught by": f"{artefact.teacher} and the label the rest; it was fitted without the rows that it "
        "taught, and without those that judge the member"
    }


def _calibration(artefact: Artefact) -> str:
    fit = artefact.calibration()
    return (
        f"{fit.in_words()}; on {fit.loans:,} loans ({fit.first_month} to {fit.last_month}, "
        f"{fit.defaulting_loans:,} defaulting; {fit.id})"
    )
