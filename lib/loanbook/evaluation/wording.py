"""What the numbers mean, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from loanbook.evaluation.assess import Evaluation, minus
from loanbook.models.artefact.artefact import MODEL
from loanbook.models.best import Best

# metric -> title, form, meaning; the order of the page's table
MEANINGS = {
    "log_loss": (
        "Log loss",
        "loss",
        "How surprised the PDs are by what happened; lower is better. It rewards both ranking and level.",
    ),
    "brier": ("Brier score", "loss", "Mean squared distance between PD and outcome; lower is better."),
    "auc": (
        "AUC",
        "rank",
        "Share of pairs of a loan that defaulted and one that did not in which the former has the higher PD; "
        "50 % is chance.",
    ),
    "gini": ("Gini", "rank", "2 AUC - 1: 0 is chance, 1 is perfect ranking."),
    "ks": (
        "KS",
        "rank",
        "Largest gap, over all cut-offs, between the share of bad and of good loans at or above it.",
    ),
    "expected_default_rate": ("Mean PD", "rate", "The default rate that was expected."),
    "observed_default_rate": ("Observed default rate", "rate", "The default rate that came about."),
    "calibration_slope": (
        "Calibration slope",
        "slope",
        "1 is right; below 1 the PDs are too spread out (high ones too high, low ones too low).",
    ),
    "calibration_intercept": (
        "Calibration intercept",
        "slope",
        "Belongs to the slope above; 0 is right where the slope is 1.",
    ),
    "calibration_in_the_large": (
        "Calibration in the large",
        "slope",
        "Shift of all log odds that gives the observed rate; above 0, more loans defaulted than expected.",
    ),
    "accuracy": ("Accuracy", "share", "Share of rows on the right side of the threshold."),
    "precision": ("Precision", "share", "Of the rows at or above the threshold, the share that defaulted."),
    "recall": ("Recall", "share", "Of the rows that defaulted, the share at or above the threshold."),
    "f1": ("F1", "share", "Harmonic mean of precision and recall."),
    "out_of_support": (
        "Out of support",
        "share",
        "Share of rows with a number beyond those of the training rows: no such loan was learnt from.",
    ),
}
FORMS = {"loss": "{:.5f}", "rank": "{:.4f}", "rate": "{:.2%}", "slope": "{:+.3f}", "share": "{:.1%}"}


def number(value: float | None, form: str) -> str:
    """Return a number as the page shows it, a dash for None.

    >>> number(0.01234, "rate")
    '1.23%'
    """
    if value is None:
        return "-"
    return FORMS[form].format(value).removeprefix("+") if form == "slope" else FORMS[form].format(value)


def verdict(
    rows: Sequence[Evaluation],
    truth: Mapping[str, Any] | None,
    reference: str,
    best: Best,
    event: str = "default within 12 months",
) -> list[tuple[str, str]]:
    """Return what the test sample says, as topics and sentences; empty where it is insufficient.

    Args:
        rows: evaluations of the test sample.
        truth: the comparison with a simulated book's truth, or None.
        reference: the baseline that the model is held against.
        best: which predictor scores the book, and why.
        event: what the PD is of.
    """
    whole = {(row.predictor, row.metric): row for row in rows if row.segment == "all"}
    if not whole or whole["model", "log_loss"].estimate is None:
        return []
    sentences = {
        "Ranking": _ranking(whole["model", "auc"].estimate),
        "Level": _levels(rows, whole, event, MODEL),
        f"Level of {best.predictor}": ""
        if best.predictor == MODEL
        else _levels(rows, whole, event, best.predictor),
        "Scores": f"The book is scored by {best.predictor}: {best.because}.",
        f"Against the {reference} baseline": _against(reference, whole),
        "Against the truth": _against_truth(truth, reference),
    }
    return [(topic, sentence) for topic, sentence in sentences.items() if sentence]


def _ranking(auc: float | None) -> str:
    if auc is None:
        return ""
    return (
        f"Of 100 pairs of a loan that defaulted and one that did not, the model gives the former the "
        f"higher PD in {100 * auc:.0f} (AUC {auc:.4f})."
    )


def _levels(
    rows: Sequence[Evaluation],
    whole: Mapping[tuple[str, str], Evaluation],
    event: str,
    predictor: str,
) -> str:
    said = (_level(whole, event, predictor), _level_by_decile(rows, predictor))
    return " ".join(sentence for sentence in said if sentence)


def _level(whole: Mapping[tuple[str, str], Evaluation], event: str, predictor: str) -> str:
    expected = whole[predictor, "expected_default_rate"].estimate
    observed = whole[predictor, "observed_default_rate"]
    if not expected or observed.estimate is None:
        return ""
    rate, low, high = (value or 0.0 for value in (observed.estimate, observed.low, observed.high))
    side = "within" if low <= expected <= high else "above" if expected > high else "below"
    change = f"{abs(rate / expected - 1):.0%} {'more' if rate > expected else 'fewer'}"
    return (
        f"The mean PD was {expected:.2%}, and {rate:.2%} of the rows turned out bad ({event}): "
        f"{change} than expected. "
        f"The mean PD is {side} the 95 % interval of what was observed, {low:.2%} to {high:.2%}."
    )


def _level_by_decile(rows: Sequence[Evaluation], predictor: str) -> str:
    """Return where the level is wrong though the mean may be right: in groups of rows by PD.

    Nothing where no level is claimed, or where all rows have one PD.
    """
    of_model = [row for row in rows if row.predictor == predictor and row.segment.startswith("decile=")]
    expected = {
        row.segment: row.estimate
        for row in of_model
        if row.metric == "expected_default_rate" and row.estimate is not None
    }
    if len(expected) < 2:
        return ""
    low: list[str] = []
    high: list[str] = []
    for row in of_model:
        if row.metric != "observed_default_rate" or row.segment not in expected:
            continue
        mean, rate = expected[row.segment], row.estimate or 0.0
        if not (row.low or 0.0) <= mean <= (row.high or 0.0):
            (low if mean < rate else high).append(f"{mean:.3%} for {rate:.2%}")
    count = len(low) + len(high)
    if not count:
        return f"That of each of the {len(expected)} groups by PD is within its own interval."
    sides = [
        f"{len(found)} too {word} ({', '.join(found)})"
        for found, word in ((low, "low"), (high, "high"))
        if found
    ]
    return (
        f"Of the {len(expected)} groups by PD, {count} {'has' if count == 1 else 'have'} a mean PD outside "
        f"the interval of what was observed, where chance would put one in 20: {'; '.join(sides)}."
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
    closed = f", {1 - gap / other_gap:.0%} of that distance closed" if other_gap > 0 else ""
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
        f"{other_gap:.5f}{closed}."
    )
