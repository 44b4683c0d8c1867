"""The book in a small table that a risk analyst understands."""

from collections.abc import Mapping, Sequence
from typing import Any

from loanbook.models.artefact.artefact import MODEL
from loanbook.models.inputs.support import OUT_OF_SUPPORT
from loanbook.output import aligned

HEADINGS = ("state", "loans", "UPB", "mean PD", "expected defaults")
DEFAULTED = "in default"
OFTEN = 0.05  # a greater share of the loans out of support is told, with the inputs
TOLD_INPUTS = 3


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return loans and UPB of the book, and the defaults expected of it with their mean PD, where any are.

    >>> row = {"state": "current", "loans": 4, "upb": 10.0, "expected_defaults": 1.0}
    >>> totals([row, {**row, "state": "in default", "expected_defaults": None}])["mean_pd"]
    0.25
    """
    return {
        "scores": sum(row["loans"] for row in rows),
        "in_default": sum(row["loans"] for row in rows if row["state"] == DEFAULTED),
        "upb": round(sum(row["upb"] for row in rows), 2),
        **_expected([row for row in rows if row["expected_defaults"] is not None]),
    }


def _expected(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    if not rows:
        return {"expected_defaults": None, "mean_pd": None}
    expected = sum(row["expected_defaults"] for row in rows)
    return {"expected_defaults": expected, "mean_pd": expected / sum(row["loans"] for row in rows)}


def beyond_support(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how many performing loans are out of support, and their share.

    >>> beyond_support([{"state": "current", "loans": 4, "out_of_support": 1}])
    {'loans': 1, 'share': 0.25}
    """
    performing = [row for row in rows if row["state"] != DEFAULTED]
    loans, beyond = (sum(row[name] for row in performing) for name in ("loans", OUT_OF_SUPPORT))
    return {"loans": beyond, "share": beyond / max(1, loans)}


def summary_table(scored: Mapping[str, Any]) -> str:
    """Return the result of ``score_portfolio`` as text: what the book is, then its table by state."""
    rows = scored["by_state"]
    performing = [row for row in rows if row["state"] != DEFAULTED]
    lines = [_cells(row) for row in performing]
    if len(performing) > 1:
        lines.append(_cells({**totals(performing), "state": "performing", **_sums(performing)}))
    lines += [_cells(row) for row in rows if row["state"] == DEFAULTED]
    at = ", each loan in its own month up to" if scored["each_in_its_own_month"] else " at"
    head = (
        f"{scored['source']}{at} {scored['as_of']}: probability of {scored['event']}, "
        f"{scored['model']} {scored['model_version']}"
    )
    by = f"PDs by {scored['predictor']}: {scored['predictor_because']}"
    return "\n".join([head, *aligned([HEADINGS, *lines]), by, *_cautions(scored)])


def _sums(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: sum(row[name] for row in rows) for name in ("loans", "upb")}


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    mean, expected = row["mean_pd"], row["expected_defaults"]
    return (
        row["state"] or "unknown",
        f"{row['loans']:,}",
        f"{row['upb']:,.0f}",
        "-" if mean is None else f"{mean:.2%}",
        "-" if expected is None else f"{expected:,.1f}",
    )


def _cautions(scored: Mapping[str, Any]) -> list[str]:
    cautions = []
    if why := scored["rank_only_because"]:
        cautions.append(f"caution: these PDs rank loans and say no level (rank_only): {why}")
    if scored["model_status"] == "insufficient":
        reasons = "; ".join(scored["model_reasons"]) or "too few labelled rows"
        cautions.append(f"caution: too little to fit or judge the model by (insufficient): {reasons}")
    if found := scored["shortfalls"]:
        who = "the model" if scored["predictor"] == MODEL else scored["predictor"]
        cautions.append(f"caution: out of sample {who} is {' and '.join(found)}; see the report")
    beyond = scored[OUT_OF_SUPPORT]
    if beyond and beyond["share"] > OFTEN:
        mostly = [f"{name} ({loans:,})" for name, loans in list(beyond["inputs"].items())[:TOLD_INPUTS]]
        cautions.append(
            f"caution: {beyond['loans']:,} loans ({beyond['share']:.0%}) lie outside what the model was "
            f"trained on, mostly by {', '.join(mostly)}"
        )
    if scored["uncalibrated"]:
        cautions.append("caution: these PDs are uncalibrated")
    return cautions
