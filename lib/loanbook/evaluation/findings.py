"""What the report shows, gathered from an evaluation and its model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loanbook.code_version import code_version
from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.basis import OF_DEFAULT, Basis
from loanbook.evaluation.judged import Judged
from loanbook.evaluation.slices import Slice
from loanbook.models.artefact.artefact import Artefact
from loanbook.settings.evaluate import EvaluateSettings
from loanbook.warehouse.runs import Run


@dataclass(frozen=True)
class Findings:
    """What the page shows.

    Args:
        test: the test slice, with the truth as a predictor where all of its rows have one.
        rows: evaluations of every slice.
        slices: counts and months of each slice.
        truth: comparison with a simulated book's truth, or None.
        model: what the model is and what it was made from.
        basis: what was judged, and what may be said of it.
    """

    test: Slice
    rows: Sequence[Evaluation]
    slices: Sequence[Mapping[str, Any]]
    truth: Mapping[str, Any] | None
    model: Mapping[str, Any]
    settings: EvaluateSettings
    sufficient: bool
    basis: Basis = OF_DEFAULT


def findings_of(run: Run, judged: Judged) -> Findings:
    """Return what the page shows of an evaluation."""
    compared, test = judged.compared, judged.slices[0]
    whole_truth = compared is not None and compared.coverage == 1
    return Findings(
        test=compared.part if compared is not None and whole_truth else test,
        rows=judged.rows,
        slices=[counts_of(part) for part in judged.slices],
        truth=None
        if compared is None
        else {
            "rows": len(test.label),
            "rows_with_truth": len(compared.part.label),
            "log_loss": judged.losses_with_truth,
        },
        model=_about(run, judged.artefact),
        settings=run.settings.evaluate,
        sufficient=judged.sufficient(run.settings.evaluate),
        basis=judged.basis,
    )


def counts_of(part: Slice) -> dict[str, Any]:
    """Return rows, loans, defaults and months of a slice."""
    months = sorted(set(part.month))
    return {
        "slice": part.role,
        "rows": len(part.label),
        "loans": part.loans,
        "defaults": int(part.label.sum()),
        "defaulting_loans": part.defaulting_loans,
        "months": len(months),
        "first_month": str(months[0]) if months else None,
        "last_month": str(months[-1]) if months else None,
    }


def _about(run: Run, artefact: Artefact) -> dict[str, Any]:
    inputs, metrics = artefact.json("inputs.json"), artefact.json("metrics.json")
    spec = artefact.spec
    inputs_taken = len(spec.numeric) + len(spec.categorical) + len(spec.text)
    tables = ", ".join(f"{name} version {version}" for name, version in sorted(inputs["tables"].items()))
    return {
        "name": artefact.name,
        "version": artefact.version,
        "source": inputs["source"],
        "uncalibrated": artefact.calibration().uncalibrated,
        "status": artefact.status,
        "reasons": metrics["reasons"],
        "lineage": {
            "Network": f"{metrics['parameters']:,} weights, {inputs_taken} inputs",
            "Calibration": _calibration(artefact),
            "Training snapshot": f"{artefact.snapshot_id}, of {tables}",
            "Default definition": inputs["default_definition_id"],
            "Feature catalogue": inputs["catalogue_id"],
            "Evaluated by": f"{run.run_id}, loanbook {code_version()}",
        },
    }


def _calibration(artefact: Artefact) -> str:
    fit = artefact.calibration()
    if fit.uncalibrated:
        return f"none ({fit.id})"
    return (
        f"Platt, slope {fit.slope:.3f}, intercept {fit.intercept:+.3f}, on {fit.loans:,} loans "
        f"({fit.first_month} to {fit.last_month}, {fit.defaulting_loans:,} defaulting; {fit.id})"
    )
