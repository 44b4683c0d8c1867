"""The page that a risk analyst opens: what the evaluation found, in words, numbers and plots."""

from collections.abc import Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.findings import Findings
from loanbook.evaluation.plots import rates, report_plots
from loanbook.evaluation.wording import MEANINGS, number, verdict


def render(findings: Findings) -> str:
    """Return the page: HTML without any outside resource."""
    environment = Environment(
        loader=PackageLoader("loanbook.evaluation", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(number=number, rate=lambda value: number(value, "rate"))
    test = [row for row in findings.rows if row.slice == "test"]
    return environment.get_template("report.html").render(
        findings=findings,
        model=findings.model,
        settings=findings.settings,
        basis=findings.basis,
        verdict=verdict(test, findings.truth, findings.basis.event),
        headline=_headline(findings.rows, "test"),
        check=_headline(findings.rows, "calibrate_check"),
        deciles=_both(test, "decile="),
        months=_both(test, "month="),
        states=_states(test),
        plots=report_plots(findings.test, test, levels=not findings.basis.rank_only)
        if findings.sufficient
        else {},
    )


def _headline(rows: Sequence[Evaluation], role: str) -> list[dict[str, Any]]:
    """Return each metric of a slice with the value of each predictor and what it means."""
    whole = [row for row in rows if row.slice == role and row.segment == "all"]
    values = {(row.metric, row.predictor): row.estimate for row in whole}
    predictors = list(dict.fromkeys(row.predictor for row in whole))
    lines = []
    for name, (title, form, meaning) in MEANINGS.items():
        cells = [values.get((name, predictor)) for predictor in predictors]
        if any(cell is not None for cell in cells):
            lines.append(
                {"title": title, "meaning": meaning, "cells": [number(cell, form) for cell in cells]}
            )
    return [{"predictors": predictors, "lines": lines}] if lines else []


def _both(rows: Sequence[Evaluation], prefix: str) -> list[dict[str, Any]]:
    """Return, by segment, the counts and rates of the model and the logit."""
    model, logit = rates(rows, "model", prefix), rates(rows, "logit", prefix)
    return [
        {"segment": name, "model": item, "logit": logit.get(name), "counts": item["observed_default_rate"]}
        for name, item in model.items()
    ]


def _states(rows: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return, by state, the counts, the rates and the AUC of both predictors; None where insufficient."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.segment.startswith("state="):
            item = found.setdefault(row.segment.removeprefix("state="), {"counts": row})
            item[f"{row.predictor}_{row.metric}"] = row.estimate
    return [{"segment": name, **item} for name, item in found.items()]
