"""The page of a comparison, for a validator to read, and its table for the terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loanbook.comparison.contest import Contest
from loanbook.comparison.entrants import Entrant
from loanbook.comparison.learning import Learning
from loanbook.comparison.plots import contest_plots, learning_plots
from loanbook.comparison.wording import DEVELOPMENT, conclusions
from loanbook.evaluation.basis import Basis
from loanbook.evaluation.distance import TO_TRUTH
from loanbook.evaluation.findings import counts_of
from loanbook.evaluation.page import page_of
from loanbook.evaluation.segments import KINDS
from loanbook.evaluation.wording import MEANINGS, number
from loanbook.models.shortfalls import CONSTANT, LOGISTIC, OFF_LEVEL, WORSE_THAN_CONSTANT, said_of
from loanbook.output import aligned
from loanbook.tables.columns import STATES

BEFORE = "*"  # marks seconds that an earlier run spent


@dataclass(frozen=True)
class Compared:
    """What the page shows.

    Args:
        contest: what was found.
        entrants: the compared.
        rows_a_second: of scoring on one core, by entrant.
        reference: the entrant that differences are from.
        basis: what was judged.
        about: lineage: name to words.
        learning: how the members of each network, and of each baseline that grows trees in turn, learnt; None
            where no history of that is kept.
    """

    contest: Contest
    entrants: Sequence[Entrant]
    rows_a_second: Mapping[str, float | None]
    reference: str
    basis: Basis
    about: Mapping[str, str]
    learning: Mapping[str, Learning | None] = field(default_factory=dict)


def lines_of(compared: Compared) -> list[dict[str, str]]:
    """Return a line for each entrant, as page and terminal show it, the least test log loss first."""
    contest = compared.contest
    known = [
        (contest.value(entrant.name, "log_loss"), place, entrant)
        for place, entrant in enumerate(compared.entrants)
    ]
    ordered = sorted(known, key=lambda item: (item[0] is None, item[0], item[1]))
    lines = []
    for loss, _, entrant in ordered:
        by = contest.difference(entrant.name, compared.reference)
        speed = compared.rows_a_second.get(entrant.name)
        lines.append(
            {
                "name": entrant.name,
                "status": contest.status(entrant.name),
                "development": number(contest.losses.get(entrant.name), "loss"),
                "test": number(loss, "loss"),
                "difference": "" if by is None else f"{by.estimate:+.5f} ({by.low:+.5f} to {by.high:+.5f})",
                "auc": number(contest.value(entrant.name, "auc"), "rank"),
                "mean_pd": number(contest.value(entrant.name, "expected_default_rate"), "rate"),
                "level": _level(contest, entrant.name),
                "slope": number(contest.value(entrant.name, "calibration_slope"), "slope"),
                **_to_truth(contest, entrant.name),
                "weights": "" if entrant.parameters is None else f"{entrant.parameters:,}",
                "seconds": _cost(entrant),
                "speed": "-" if speed is None else f"{speed:,.0f}",
            }
        )
    return lines


def _level(contest: Contest, name: str) -> str:
    """Return mean PD over observed rate with the 99 percent interval; a dash where none is claimed."""
    if name not in contest.levels:
        return "-"
    found = contest.levels[name].test
    return f"{found.estimate:.2f} ({found.low:.2f} to {found.high:.2f})"


def _to_truth(contest: Contest, name: str) -> dict[str, str]:
    """Return the figures against a simulated book's truth; none where there is none."""
    if contest.truth is None:
        return {}
    return {metric: number(contest.value(name, metric), MEANINGS[metric][1]) for metric in TO_TRUTH}


def headings_of(compared: Compared) -> list[str]:
    """Return the headings of ``lines_of``."""
    contest = compared.contest
    where = DEVELOPMENT.get(contest.samples[1].role, contest.samples[1].role)
    to_truth = [MEANINGS[metric][0] for metric in TO_TRUTH] if contest.truth else []
    return [
        "", "status", f"log loss, {where}", "log loss, test", f"less {compared.reference}, 95 %", "AUC",
        "mean PD", "mean PD / observed, 99 %", "slope", *to_truth, "weights", "training", "rows/s",
    ]  # fmt: skip


def matrix(contest: Contest) -> list[dict[str, Any]]:
    """Return, for each entrant, its test log loss less that of each, the least loss first.

    A cell has the difference, its interval and ``better`` or ``worse`` where that excludes 0.
    """
    losses = {name: contest.value(name, "log_loss") for name in contest.names}
    order = sorted(
        (name for name in losses if losses[name] is not None), key=lambda name: losses[name] or 0.0
    )
    return [{"name": name, "cells": [_difference(contest, name, other) for other in order]} for name in order]


def _difference(contest: Contest, name: str, other: str, segment: str = "all") -> dict[str, str]:
    """Return a difference as the page shows it; empty where there is none."""
    by = None if name == other else contest.difference(name, other, segment)
    if by is None:
        return {"text": "", "interval": "", "kind": ""}
    kind = "better" if by.high < 0 else "worse" if by.low > 0 else ""
    return {"text": f"{by.estimate:+.5f}", "interval": f"{by.low:+.5f} to {by.high:+.5f}", "kind": kind}


def _cost(entrant: Entrant) -> str:
    if entrant.seconds is None:
        return "before"
    return f"{entrant.seconds:,.0f} s{BEFORE if entrant.before else ''}"


def segment_tables(compared: Compared) -> list[dict[str, Any]]:
    """Return, by kind of segment, the log loss of each entrant; the least of a segment is marked."""
    contest = compared.contest
    segments = dict.fromkeys(
        row.segment for row in contest.rows if row.sample == "test" and "=" in row.segment
    )
    tables = []
    for kind, (_, meaning, heading) in KINDS.items():
        of_kind = [segment for segment in segments if segment.startswith(f"{kind}=")]
        order = {f"state={state}": place for place, state in enumerate(STATES)}
        lines = []
        for segment in sorted(of_kind, key=lambda one: (order.get(one, 0), one)):
            values = {name: contest.value(name, "log_loss", "test", segment) for name in contest.names}
            given = [value for value in values.values() if value is not None]
            counts = contest.of("test", segment)[0]
            lines.append(
                {
                    "segment": segment.partition("=")[2],
                    "rows": f"{counts.n:,}",
                    "defaults": f"{counts.defaults:,}",
                    "cells": [
                        {
                            "loss": number(value, "loss"),
                            "least": value is not None and value == min(given),
                            **_difference(contest, name, contest.against, segment),
                        }
                        for name, value in values.items()
                    ],
                }
            )
        if lines:
            tables.append({"kind": kind, "heading": heading, "meaning": meaning, "lines": lines})
    return tables


def short_of(contest: Contest, name: str, shortfall: str) -> str:
    """Return what an entrant falls short of, in words with its figures."""
    baseline = CONSTANT if shortfall == WORSE_THAN_CONSTANT else LOGISTIC
    by = None if shortfall == OFF_LEVEL else contest.difference(name, baseline)
    return said_of(shortfall, {baseline: by} if by else {}, contest.levels.get(name))


def render(compared: Compared) -> str:
    """Return the page: HTML without any outside resource."""
    contest = compared.contest
    return page_of(
        "comparison.html",
        "comparison",
        headings=headings_of(compared),
        lines=lines_of(compared),
        matrix=matrix(contest),
        shortfalls={
            name: [short_of(contest, name, one) for one in contest.shortfalls.get(name, ())]
            for name in contest.names
        },
        conclusions=conclusions(contest),
        test=counts_of(contest.samples[0]),
        development=counts_of(contest.samples[1]),
        said=contest.samples[0].together.said,
        observed=number(contest.value(contest.names[0], "observed_default_rate"), "rate"),
        segments=segment_tables(compared),
        names=contest.names,
        against=contest.against,
        plots=contest_plots(contest, compared.reference) if contest.sufficient else {},
        learning=compared.learning,
        learning_plots=learning_plots(compared.learning),
        reference=compared.reference,
        truth=contest.truth,
        basis=compared.basis,
        about=compared.about,
    )


def table(compared: Compared) -> str:
    """Return the table and the sentences for the terminal."""
    rows = [tuple(headings_of(compared)), *(tuple(line.values()) for line in lines_of(compared))]
    marked = any(one.before and one.seconds is not None for one in compared.entrants)
    note = [f"{BEFORE} of an earlier training, as its run recorded it"] if marked else []
    return "\n".join([*aligned(rows), *note, *conclusions(compared.contest)])
