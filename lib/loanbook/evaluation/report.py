"""The page that a risk analyst opens: what the evaluation found, in words, numbers and plots."""

from collections.abc import Sequence
from typing import Any

from loanbook.evaluation.assess import FEW, Evaluation
from loanbook.evaluation.colours import colours_of
from loanbook.evaluation.findings import Findings
from loanbook.evaluation.page import page_of
from loanbook.evaluation.plots import curve_plots, rates, report_plots, truth_line
from loanbook.evaluation.truth import TRUTH
from loanbook.evaluation.verdict import verdict
from loanbook.evaluation.wording import MEANINGS, number
from loanbook.models.artefact.artefact import MODEL


def render(findings: Findings) -> str:
    """Return the page: HTML without any outside resource."""
    test = [row for row in findings.rows if row.sample == "test"]
    return page_of(
        "report.html",
        "evaluation",
        about=findings.model["lineage"],
        findings=findings,
        model=findings.model,
        settings=findings.settings,
        basis=findings.basis,
        verdict=verdict(
            test,
            findings.truth,
            findings.reference,
            findings.best,
            findings.basis.event,
            findings.test.together.count,
        ),
        headline=_headline(findings.rows, "test"),
        check=_headline(findings.rows, findings.samples[1]["sample"]),
        deciles=_both(test, "decile=", findings.reference),
        months=_both(test, "month=", findings.reference),
        states=_parts(test, "state=", findings.reference),
        vintages=_parts(test, "vintage=", findings.reference),
        ages=_parts(test, "age=", findings.reference),
        plots=_plots(findings, test),
        curves=curve_plots(findings.drawn) if findings.sufficient else [],
        horizons=_horizons(findings.rows),
    )


def _plots(findings: Findings, test: Sequence[Evaluation]) -> dict[str, str]:
    if not findings.sufficient:
        return {}
    truth = None if findings.with_truth is None else truth_line(findings.with_truth, findings.settings.bins)
    levels = not findings.basis.rank_only
    colours = colours_of([*findings.test.calibrated, TRUTH], findings.model["network"])
    return report_plots(findings.test, test, findings.reference, colours, levels=levels, truth=truth)


def _horizons(rows: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """Return, by sample, event and horizon, what was expected of the curves and what was observed."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        for prefix in ("cif_", "aalen_johansen_", "brier_"):
            if row.metric.startswith(prefix) and row.estimate is not None:
                name = row.metric.removeprefix(prefix)
                line = found.setdefault((row.sample, name), {"sample": row.sample, "counts": row})
                event, _, months = name.rpartition("_")
                line |= {"event": event, "months": months.removesuffix("m"), prefix.strip("_"): row}
    return list(found.values())


def _headline(rows: Sequence[Evaluation], role: str) -> list[dict[str, Any]]:
    """Return each metric of a sample with the value of each predictor and what it means."""
    whole = [row for row in rows if row.sample == role and row.segment == "all"]
    values = {(row.metric, row.predictor): row for row in whole if row.estimate is not None}
    predictors = list(dict.fromkeys(row.predictor for row in whole))
    lines = []
    for name, (title, form, meaning) in MEANINGS.items():
        found = [values.get((name, predictor)) for predictor in predictors]
        if any(found):
            cells = [_cell(row, form) for row in found]
            lines.append({"title": title, "meaning": meaning, "cells": cells})
    return [{"predictors": predictors, "lines": lines}] if lines else []


def _cell(row: Evaluation | None, form: str) -> tuple[str, str]:
    """Return a figure and its interval as the page shows them; a dash, or nothing, where there is none."""
    if row is None:
        return "-", ""
    known = row.low is not None and row.high is not None
    return number(row.estimate, form), f"{number(row.low, form)} to {number(row.high, form)}" if known else ""


def _both(rows: Sequence[Evaluation], prefix: str, reference: str) -> list[dict[str, Any]]:
    """Return, by segment, the counts and rates of the model and of the baseline that it is held against."""
    model, other = rates(rows, MODEL, prefix), rates(rows, reference, prefix)
    return [
        {
            "segment": name,
            "model": item,
            "reference": other.get(name),
            "counts": item["observed_default_rate"],
            "few": item["observed_default_rate"].method.endswith(FEW),
        }
        for name, item in model.items()
    ]


def _parts(rows: Sequence[Evaluation], prefix: str, reference: str) -> list[dict[str, Any]]:
    """Return, by segment, the counts, the rates and the AUC of both predictors; None where insufficient."""
    parts = {MODEL: "model", reference: "reference"}
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.segment.startswith(prefix) and row.predictor in parts:
            item = found.setdefault(row.segment.removeprefix(prefix), {"counts": row})
            item[f"{parts[row.predictor]}_{row.metric}"] = row.estimate
            if row.metric == "observed_default_rate":
                item["interval"] = (row.low, row.high)
    return [{"segment": name, **item} for name, item in found.items()]
