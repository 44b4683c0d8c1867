"""The one place that gives a predictor its colour: the same in every plot of every page."""

import zlib
from collections.abc import Iterable

from loanbook.evaluation.truth import TRUTH
from loanbook.models.artefact.artefact import MODEL

OF_NETWORKS = {
    "tabm": "#0b5394",
    "mlp_64_32": "#00838f",
    "mlp_embeddings": "#7b3fa0",
    "deep_five_layer": "#5c6bc0",
    "distilled": "#c0392b",
    "gru": "#0ea5e9",
    "lstm": "#2563eb",
    "attention": "#a16207",
    "term_structure": "#111827",
    "transition": "#65a30d",
}
OF_BASELINES = {
    "logistic": "#d9822b",
    "lightgbm": "#b5306b",
    "lightgbm_tuned": "#e377a2",
    "matrix": "#8d6e63",
    "scorecard": "#c0a000",
    "cart": "#6b8e23",
    "constant": "#6b7785",
}
FIXED = {TRUTH: "#2e9e5b", **OF_NETWORKS, **OF_BASELINES}
OF_EVENTS = {"default": "#b5306b", "prepayment": "#0b5394"}  # of curves
OTHERS = ("#f97316", "#14b8a6", "#9333ea", "#94a3b8", "#7f1d1d", "#84cc16")  # of predictors of one's own
ANY_NETWORK = "#0b5394"


def colours_of(names: Iterable[str], network: str | None = None) -> dict[str, str]:
    """Return a colour for each predictor, whatever stands beside it.

    Args:
        names: of the predictors.
        network: the architecture of the one named ``model``.

    >>> found = colours_of(["model", "logistic"], network="mlp_64_32")
    >>> found == {"model": OF_NETWORKS["mlp_64_32"], "logistic": OF_BASELINES["logistic"]}
    True
    """
    return {name: _colour(network or MODEL if name == MODEL else name) for name in names}


def _colour(name: str) -> str:
    if name == MODEL:
        return ANY_NETWORK
    return FIXED.get(name) or OTHERS[zlib.crc32(name.encode()) % len(OTHERS)]
