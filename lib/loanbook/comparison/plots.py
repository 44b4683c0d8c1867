"""The comparison's plots: differences with their intervals, and reliability curves."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loanbook.comparison.contest import Contest
from loanbook.comparison.learning import Learning
from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.colours import colours_of
from loanbook.evaluation.plots import INK, STYLE, figure, log_percent_axes, observed_of, rates, uri
from loanbook.models.shortfalls import CONSTANT

OF_PARTS = {"train": "#9aa5b1", "tune": INK}  # no predictor's colours
PANELS = 3  # side by side
SAID_OF_PARTS = {"train": "loans that fit a member", "tune": "loans that stop it"}


def contest_plots(contest: Contest, reference: str) -> dict[str, Any]:
    """Return the plots of the page, each as a data URI; ``differences`` by the entrant that they are from.

    Args:
        contest: with enough defaults to say anything.
        reference: a baseline that all are held against, beside the best and LightGBM.
    """
    others = [name for name in (contest.against, "lightgbm", reference) if name in contest.names]
    with rc_context(STYLE):
        differences = {name: _differences(contest, name) for name in dict.fromkeys(others)}
        return {"differences": differences, "reliability": _reliability(contest)}


def learning_plots(learning: Mapping[str, Learning | None]) -> dict[str, str]:
    """Return the learning curves of each entrant that has any, as a data URI."""
    with rc_context(STYLE):
        return {name: _learning(found) for name, found in learning.items() if found is not None}


def _learning(found: Learning) -> str:
    drawn, axes = figure()
    for part, colour in OF_PARTS.items():
        rounds, mean = found.mean(part)
        if np.all(np.isnan(mean)):
            continue
        for member in found.members:
            axes.plot(member.rounds, getattr(member, part), "-", color=colour, linewidth=0.7, alpha=0.55)
        axes.plot(rounds, mean, "-", color=colour, linewidth=2.2, label=f"{SAID_OF_PARTS[part]}, mean")
    kept = [(member.kept, member.least) for member in found.members]
    axes.plot(*zip(*kept, strict=True), "o", color=INK, markersize=4.5, label=f"{found.round} kept", zorder=3)
    axes.set(xlabel=found.round, ylabel="loss")
    axes.legend(loc="best")
    return uri(drawn)


def _differences(contest: Contest, reference: str) -> str:
    drawn, axes = figure()
    colours = colours_of(contest.names)
    # The constant is so much worse that beside it nothing else could be told apart.
    names = [name for name in contest.names if name not in (reference, CONSTANT)]
    found = [(name, one) for name in names if (one := contest.difference(name, reference)) is not None]
    shown = sorted(found, key=lambda item: -item[1].estimate)
    for place, (name, one) in enumerate(shown):
        axes.plot((one.low, one.high), (place, place), "-", color=colours[name], linewidth=2.2)
        axes.plot(one.estimate, place, "o", color=colours[name], markersize=6)
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(range(len(shown)), [name for name, _ in shown])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set(xlabel=f"log loss less that of {reference}; left of 0 is better")
    return uri(drawn)


def _reliability(contest: Contest) -> str:
    """Return a panel for each entrant: side by side, as intervals of one over the other could not be read."""
    rows = [row for row in contest.rows if row.sample == "test"]
    tables = {name: rates(rows, name, "decile=") for name in contest.names}
    lines = -(-len(tables) // PANELS)
    drawn = Figure(figsize=(10.6, 3.3 * lines), layout="constrained")
    panels = drawn.subplots(lines, PANELS, sharex=True, sharey=True, squeeze=False).ravel()
    colours = colours_of(contest.names)
    values = [value for table in tables.values() for value in _drawn(table)]
    for axes, (name, table) in zip(panels, tables.items(), strict=False):
        _panel(axes, table, colours[name])
        log_percent_axes(axes, values)
        axes.set_title(name, fontsize=10, color=colours[name], fontweight="bold")
        axes.label_outer()
    for axes in panels[len(tables) :]:
        axes.set_visible(False)
    return uri(drawn)


def _panel(axes: Axes, table: Mapping[str, Mapping[str, Evaluation]], colour: str) -> None:
    expected = [item["expected_default_rate"].estimate or 0.0 for item in table.values()]
    observed, errors = observed_of(table)
    axes.errorbar(
        expected, observed, yerr=errors, fmt="o-", color=colour, markersize=4, linewidth=1.1, elinewidth=0.9,
        capsize=2,
    )  # fmt: skip


def _drawn(table: Mapping[str, Mapping[str, Evaluation]]) -> list[float]:
    """Return the rates that logarithmic axes can show."""
    found = [row.estimate for item in table.values() for row in item.values()]
    return [value for value in found if value]
