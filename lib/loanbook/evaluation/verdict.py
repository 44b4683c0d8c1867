"""What the test sample says, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.levels import level
from loanbook.evaluation.measures import minus
from loanbook.models.artefact.artefact import MODEL
from loanbook.models.best import Best


def verdict(
    rows: Sequence[Evaluation],
    truth: Mapping[str, Any] | None,
    reference: str,
    best: Best,
    event: str = "default within 12 months",
    blocks: int = 0,
) -> list[tuple[str, str]]:
    """Return what the test sample says, as topics and sentences; empty where it is insufficient.

    Args:
        rows: evaluations of the test sample.
        truth: the comparison with a simulated book's truth, or None.
        reference: the baseline that the model is held against.
        best: which predictor scores the book, and why.
        event: what the PD is of.
        blocks: of months that the intervals are clustered by; fewer than three: by borrower alone.
    """
    whole = {(row.predictor, row.metric): row for row in rows if row.segment == "all"}
    if not whole or whole["model", "log_loss"].estimate is None:
        return []
    sentences = {
        "Ranking": _ranking(whole["model", "auc"].estimate, whole["model", "auc_current"].estimate),
        "Level": level(rows, event, MODEL, blocks),
        f"Level of {best.predictor}": (
            "" if best.predictor == MODEL else level(rows, event, best.predictor, blocks)
        ),
        "Scores": f"Scores made with this model are those of {best.predictor}: {best.because}.",
        f"Against the {reference} baseline": _against(reference, whole),
        "Against the truth": _against_truth(truth, reference),
    }
    return [(topic, sentence) for topic, sentence in sentences.items() if sentence]


def _ranking(auc: float | None, of_current: float | None) -> str:
    if auc is None:
        return ""
    alone = "" if of_current is None else f"; among loans that are current, {of_current:.4f}"
    return (
        f"Of 100 pairs of a loan that defaulted and one that did not, the model gives the former the "
        f"higher PD in {100 * auc:.0f} (AUC {auc:.4f}{alone})."
    )


def _against(reference: str, whole: Mapping[tuple[str, str], Evaluation]) -> str:
    difference = whole["model", minus(reference)]
    estimate, low, high = (value or 0.0 for value in (difference.estimate, difference.low, difference.high))
    other = whole[reference, "log_loss"].estimate or 0.0
    word = "lower" if estimate < 0 else "higher"
    sure = "which excludes" if low > 0 or high < 0 else "which includes"
    return (
        f"The model's log loss is {abs(estimate):.5f} {word} "
        f"({abs(estimate) / other:.1%}), 95 % interval of the difference {low:+.5f} to {high:+.5f}, {sure} 0."
    )


def _against_truth(truth: Mapping[str, Any] | None, reference: str) -> str:
    if truth is None or truth["log_loss"] is None:
        return ""
    losses = truth["log_loss"]
    gap, other_gap = losses["model"] - losses["truth"], losses[reference] - losses["truth"]
    some = truth["rows_with_truth"] < truth["rows"]
    rows = (
        f" on {truth['rows_with_truth']:,} of the {truth['rows']:,} rows, those that have a truth "
        f"(the losses on these: model {losses['model']:.5f}, {reference} {losses[reference]:.5f})"
        if some
        else ""
    )
    return (
        f"The simulated book's own expected PDs have log loss "
        f"{losses['truth']:.5f}{rows}; the model is {gap:.5f} above it, the {reference} baseline "
        f"{other_gap:.5f}.{_distance(truth)}"
    )


def _distance(truth: Mapping[str, Any]) -> str:
    """Return how far the model is from the truth, without the chance in the labels."""
    kl, against = truth.get("kl") or {}, truth.get("gap_closed_against")
    if MODEL not in kl:
        return ""
    said = f" Without the chance in what happened, the model is {kl[MODEL]:.5f} from the truth (mean KL)"
    if against is None:
        return f"{said}."
    closed = truth["gap_closed"]
    gap = "" if closed is None else f": {closed:.0%} of that gap is closed"
    return f"{said}, the baseline {against} {kl[against]:.5f}{gap}."
