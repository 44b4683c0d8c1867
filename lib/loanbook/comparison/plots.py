"""The comparison's plots: differences with their intervals, and reliability curves."""

import itertools
from collections.abc import Mapping

import numpy as np
from matplotlib import rc_context

from loanbook.comparison.contest import Contest
from loanbook.comparison.learning import Learning
from loanbook.evaluation.plots import INK, OF_BASELINES, STYLE, figure, log_percent_axes, rates, uri
from loanbook.models.shortfalls import CONSTANT

COLOURS = ("#0b5394", "#3d8b5f", *OF_BASELINES, "#c2185b", "#7a5c1e", "#111827", "#94a3b8", "#65a30d")
OF_PARTS = {"train": OF_BASELINES[0], "tune": "#0b5394"}
SAID_OF_PARTS = {"train": "loans that fit a member", "tune": "loans that stop it"}


def contest_plots(contest: Contest, reference: str) -> dict[str, str]:
    """Return the plots of the page, each as a data URI.

    Args:
        contest: with enough defaults to say anything.
        reference: the entrant that differences are from.
    """
    with rc_context(STYLE):
        return {"differences": _differences(contest, reference), "reliability": _reliability(contest)}


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
    axes.set(xlabel=found.round, ylabel="log loss")
    axes.legend(loc="upper right")
    return uri(drawn)


def colours_of(contest: Contest) -> dict[str, str]:
    """Return a colour for each entrant."""
    return dict(zip(contest.names, itertools.cycle(COLOURS)))


def _differences(contest: Contest, reference: str) -> str:
    drawn, axes = figure()
    colours = colours_of(contest)
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
    drawn, axes = figure()
    colours = colours_of(contest)
    rows = [row for row in contest.rows if row.sample == "test"]
    values: list[float] = []
    for name in contest.names:
        table = rates(rows, name, "decile=")
        points = [
            (item["expected_default_rate"].estimate or 0, item["observed_default_rate"].estimate or 0)
            for item in table.values()
        ]
        positive = [(expected, observed) for expected, observed in points if expected > 0 and observed > 0]
        if not positive:
            continue
        values += [value for point in positive for value in point]
        axes.plot(
            *zip(*positive, strict=True), "o-", color=colours[name], label=name, markersize=4, linewidth=1.2
        )
    log_percent_axes(axes, values)
    axes.legend(loc="upper left", fontsize=8)
    return uri(drawn)
