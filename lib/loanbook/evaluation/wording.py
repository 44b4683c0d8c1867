"""What each number of the page means, and how it is written."""

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
    "auc_current": (
        "AUC of current loans",
        "rank",
        "The same of loans that are not in arrears, whose risk is the harder to see.",
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
    "kl_to_truth": (
        "KL to the truth",
        "loss",
        "How far the PDs are from the simulated book's own, in log loss without the chance in the outcomes; "
        "0 is the truth.",
    ),
    "gap_closed": (
        "Gap closed",
        "share",
        "Of the distance from the counted matrix to the truth.",
    ),
    "mean_to_truth": (
        "Mean PD to the truth's",
        "share",
        "Mean PD divided by the mean of the simulated book's own: 100 % is right.",
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
