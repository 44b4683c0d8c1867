"""The report's plots, as SVG images to embed in the page."""

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.calibration import deciles
from loanbook.evaluation.colours import OF_EVENTS
from loanbook.evaluation.curves import Drawn
from loanbook.evaluation.metrics import ranking
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.truth import TRUTH
from loanbook.models.artefact.artefact import MODEL
from loanbook.models.clustered import Floats

INK, GRID = "#33404d", "#e3e8ee"
STYLE: Any = {
    "font.size": 9.5, "font.family": "sans-serif", "axes.edgecolor": "#9aa5b1", "axes.labelcolor": INK,
    "xtick.color": INK, "ytick.color": INK, "text.color": INK, "axes.grid": True, "grid.color": GRID,
    "axes.axisbelow": True, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
    "svg.hashsalt": "loanbook", "svg.fonttype": "path",
}  # fmt: skip
SIZE = (5.4, 3.7)


def report_plots(
    part: Sample,
    rows: Sequence[Evaluation],
    reference: str,
    colours: Mapping[str, str],
    levels: bool = True,
    truth: tuple[Floats, Floats] | None = None,
) -> dict[str, str]:
    """Return the plots of the page, each as a data URI, from the sample and its evaluations.

    The rates of the ``reference``, a baseline, stand beside the model's. Without ``levels`` expected and
    observed rates are not compared: the PDs only rank. ``colours`` are of every predictor, ``truth`` is
    ``truth_line`` of a simulated book.
    """
    shown = (reference, MODEL)
    with rc_context(STYLE):
        compared = {}
        if levels:
            compared["calibration"] = _calibration(rows, shown, colours, truth)
            compared["months"] = _months(rows, shown, colours)
        return {**compared, "roc": _roc(part, colours), "distribution": _distribution(part)}


def curve_plots(drawn: Sequence[Drawn]) -> list[tuple[Drawn, str]]:
    """Return each pair of mean curves with its plot."""
    with rc_context(STYLE):
        return [(one, _curve(one)) for one in drawn]


def _curve(of: Drawn) -> str:
    drawn, axes = figure()
    for place, (name, colour) in enumerate(OF_EVENTS.items()):
        axes.plot(of.months, of.expected[place], "-", color=colour, linewidth=1.6, label=f"{name}, expected")
        axes.plot(of.months, of.other[place], ":", color=colour, linewidth=2, label=f"{name}, {of.against}")
    axes.set_ylim(bottom=0, top=1.3 * max(of.expected.max(), of.other.max(), 1e-6))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.set(xlabel="months ahead", ylabel="share of the rows, cumulative")
    axes.legend(loc="upper left")
    return uri(drawn)


def figure() -> tuple[Figure, Axes]:
    """Return an empty figure of the page's size, and its axes."""
    drawn = Figure(figsize=SIZE, layout="constrained")
    return drawn, drawn.add_subplot()


def uri(drawn: Figure) -> str:
    """Return a figure as a data URI, with the same bytes each time."""
    out = io.BytesIO()
    drawn.savefig(out, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()


def _percent(value: float, _: int | None) -> str:
    return f"{100 * value:.3g}%"


def rates(rows: Iterable[Evaluation], predictor: str, prefix: str) -> dict[str, Mapping[str, Evaluation]]:
    """Return, by segment in order, a predictor's expected and observed default rate."""
    found: dict[str, dict[str, Evaluation]] = {}
    for row in rows:
        if row.predictor == predictor and row.segment.startswith(prefix) and row.estimate is not None:
            found.setdefault(row.segment.removeprefix(prefix), {})[row.metric] = row
    return {name: found[name] for name in sorted(found)}


def observed_of(table: Mapping[str, Mapping[str, Evaluation]]) -> tuple[list[float], list[list[float]]]:
    """Return the observed rates of ``rates``, and how far their intervals reach below and above."""
    rows = [item["observed_default_rate"] for item in table.values()]
    values = [float(row.estimate or 0) for row in rows]
    below = [value - float(row.low or 0) for value, row in zip(values, rows, strict=True)]
    above = [float(row.high or 0) - value for value, row in zip(values, rows, strict=True)]
    return values, [below, above]


def _expected(table: Mapping[str, Mapping[str, Evaluation]]) -> list[float]:
    return [float(item["expected_default_rate"].estimate or 0) for item in table.values()]


def truth_line(part: Sample, bins: int) -> tuple[Floats, Floats]:
    """Return the mean PD of the model and the mean truth of each decile of the model's PD.

    Args:
        part: rows that have a truth.
        bins: groups of equal size.
    """
    pd, truth = part.calibrated[MODEL], part.calibrated[TRUTH]
    group = deciles(pd, bins)
    found = [group == one for one in np.unique(group)]
    mean, true = ([np.average(of[rows], weights=part.weight[rows]) for rows in found] for of in (pd, truth))
    return np.array(mean), np.array(true)


def _calibration(
    rows: Sequence[Evaluation],
    shown: tuple[str, str],
    colours: Mapping[str, str],
    truth: tuple[Floats, Floats] | None,
) -> str:
    drawn, axes = figure()
    floor, highest = 1.0, 0.0
    for predictor, marker in zip(shown, "so", strict=True):
        table = rates(rows, predictor, "decile=")
        expected, (observed, errors) = _expected(table), observed_of(table)
        axes.errorbar(
            expected, observed, yerr=errors, fmt=f"{marker}-", color=colours[predictor], label=predictor,
            markersize=5, linewidth=1, elinewidth=0.9, capsize=2,
            alpha=1 if predictor == "model" else 0.75,
        )  # fmt: skip
        positive = [value for value in (*expected, *observed) if value > 0]
        floor, highest = min(floor, *positive), max(highest, *positive)
    if truth is not None and len(truth[0]):
        axes.plot(*truth, "--", color=colours[TRUTH], linewidth=1.6, label="truth, by decile of the model")
        floor, highest = min(floor, *truth[1]), max(highest, *truth[1])
    log_percent_axes(axes, [floor, highest])
    axes.legend(loc="upper left")
    return uri(drawn)


def log_percent_axes(axes: Axes, values: Sequence[float]) -> None:
    """Give a plot of observed over expected rates equal logarithmic axes, and the line where they agree."""
    span = (min(values, default=0.01) / 2, min(1.0, max(values, default=0.5) * 2))
    axes.plot(span, span, "--", color="#9aa5b1", linewidth=1, label="expected = observed", zorder=0)
    axes.set(xscale="log", yscale="log", xlim=span, ylim=span)
    axes.set(xlabel="mean PD of the decile", ylabel="share that defaulted")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(_percent))


def _months(rows: Sequence[Evaluation], shown: tuple[str, str], colours: Mapping[str, str]) -> str:
    drawn, axes = figure()
    table = rates(rows, "model", "month=")
    observed, (below, above) = observed_of(table)
    position = np.arange(len(table))
    low, high = np.subtract(observed, below), np.add(observed, above)
    axes.fill_between(position, low, high, color="#9aa5b1", alpha=0.3, linewidth=0, label="95 % interval")
    axes.plot(position, observed, "o-", color=INK, markersize=4, linewidth=1.2, label="observed")
    for predictor in reversed(shown):
        expected = _expected(rates(rows, predictor, "month="))
        axes.plot(
            position, expected, "-", color=colours[predictor], linewidth=1.6, label=f"expected, {predictor}"
        )
    step = max(1, len(table) // 8)
    axes.set_xticks(position[::step], list(table)[::step], rotation=30, ha="right")
    axes.set_ylim(bottom=0, top=1.25 * max([*high, *_expected(table)]))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.set(ylabel="share of the month's rows that turned out bad")
    axes.legend(loc="upper left", ncols=2)
    return uri(drawn)


def _roc(part: Sample, colours: Mapping[str, str]) -> str:
    drawn, axes = figure()
    for predictor, pd in part.calibrated.items():
        curve = ranking(part.label, pd, part.weight)
        if curve is not None:
            axes.plot(
                curve.false_positive_rate, curve.true_positive_rate, color=colours[predictor], linewidth=1.6,
                linestyle=":" if predictor == "truth" else "-", label=f"{predictor}, AUC {curve.auc:.4f}",
            )  # fmt: skip
    axes.plot((0, 1), (0, 1), "--", color="#9aa5b1", linewidth=1)
    axes.set(xlabel="share of good loans flagged", ylabel="share of bad loans caught")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend(loc="lower right")
    return uri(drawn)


def _distribution(part: Sample) -> str:
    drawn, axes = figure()
    pd = np.clip(part.calibrated["model"], 1e-5, 1)
    edges = np.geomspace(pd.min() * 0.95, min(1.0, pd.max() * 1.05), 45).tolist()
    for name, rows, colour in (
        ("did not default", part.label == 0, "#9aa5b1"),
        ("defaulted", part.label > 0, "#1f2937"),
    ):
        weights = part.weight[rows] / np.sum(part.weight[rows])
        axes.hist(
            pd[rows], edges, weights=weights, color=colour, alpha=0.6, label=f"{name} ({rows.sum():,} rows)"
        )
    axes.set(xscale="log", xlabel="PD of the model", ylabel="share of the group's rows")
    axes.xaxis.set_major_formatter(FuncFormatter(_percent))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylim(top=1.25 * axes.get_ylim()[1])
    axes.legend(loc="upper right")
    return uri(drawn)
