"""The book in a small table that a risk analyst understands."""

from collections.abc import Mapping, Sequence
from typing import Any

HEADINGS = ("state", "loans", "UPB", "mean PD", "expected defaults")
DEFAULTED = "in default"


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return loans and UPB of the book, and expected defaults and mean PD of its performing loans.

    >>> row = {"state": "current", "loans": 4, "upb": 10.0, "expected_defaults": 1.0}
    >>> totals([row, {**row, "state": "in default", "expected_defaults": None}])["mean_pd"]
    0.25
    """
    performing = [row for row in rows if row["expected_defaults"] is not None]
    expected = sum(row["expected_defaults"] for row in performing)
    loans = sum(row["loans"] for row in performing)
    book = sum(row["loans"] for row in rows)
    return {
        "scores": book,
        "in_default": book - loans,
        "upb": round(sum(row["upb"] for row in rows), 2),
        "expected_defaults": expected,
        "mean_pd": expected / loans if loans else None,
    }


def summary_table(scored: Mapping[str, Any]) -> str:
    """Return the result of ``score_portfolio`` as text: what the book is, then its table by state."""
    rows = scored["by_state"]
    performing = [row for row in rows if row["state"] != DEFAULTED]
    lines = [_cells(row) for row in performing]
    if len(performing) > 1:
        lines.append(_cells({**scored, "state": "performing", **_sums(performing)}))
    lines += [_cells(row) for row in rows if row["state"] == DEFAULTED]
    head = (
        f"{scored['source']} at {scored['as_of']}: probability of default within 12 months, "
        f"{scored['model']} {scored['model_version']}"
    )
    return "\n".join([head, *_aligned([HEADINGS, *lines]), *_cautions(scored)])


def _sums(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: sum(row[name] for row in rows) for name in ("loans", "upb", "expected_defaults")}


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    expected = row["expected_defaults"]
    return (
        row["state"] or "unknown",
        f"{row['loans']:,}",
        f"{row['upb']:,.0f}",
        f"{row['mean_pd']:.2%}",
        "-" if expected is None else f"{expected:,.1f}",
    )


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(line[k]) for line in lines) for k in range(len(HEADINGS))]
    return [
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in lines
    ]


def _cautions(scored: Mapping[str, Any]) -> list[str]:
    cautions = []
    if scored["model_status"] == "insufficient":
        cautions.append("caution: the tape has too few defaults to judge or fit the model (insufficient)")
    if scored["uncalibrated"]:
        cautions.append("caution: these PDs are uncalibrated")
    return cautions
