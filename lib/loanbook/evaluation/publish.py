"""Writes what an evaluation found: two tables, a JSON file and the page."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame

from loanbook.evaluation.findings import findings_of
from loanbook.evaluation.judged import Judged
from loanbook.evaluation.report import render
from loanbook.evaluation.slices import prediction_rows
from loanbook.tables.base import Table
from loanbook.tables.evaluations import EVALUATIONS
from loanbook.tables.predictions import PREDICTIONS
from loanbook.warehouse.runs import Run
from loanbook.warehouse.storage import published_folder, write_json

PAGE, NUMBERS = "report.html", "evaluation.json"


def publish(run: Run, judged: Judged) -> Path:
    """Replace the model's predictions, evaluations and report; return where the page is."""
    name, version = judged.artefact.name, judged.artefact.version
    where = f"model_name = '{name}' AND model_version = '{version}'"
    predictions = [
        prediction_rows(part, judged.artefact, judged.fold) for part in judged.slices if len(part.label)
    ]
    run.replace(PREDICTIONS, _frame(run, PREDICTIONS, predictions), where)
    evaluations = pd.DataFrame(
        [{"model_name": name, "model_version": version, **dataclasses.asdict(row)} for row in judged.rows]
    )
    run.replace(EVALUATIONS, _frame(run, EVALUATIONS, [evaluations]), where)
    run.count("predictions", sum(len(rows) for rows in predictions))
    run.count("evaluations", len(evaluations))
    return _write_report(run, judged)


def _frame(run: Run, table: Table, parts: Sequence[pd.DataFrame]) -> DataFrame:
    empty = table.empty(run.spark)
    if not parts:
        return empty
    return run.spark.createDataFrame(pd.concat(parts, ignore_index=True)[table.column_names], empty.schema)


def _write_report(run: Run, judged: Judged) -> Path:
    folder = run.storage.report_folder(judged.artefact.name, judged.artefact.version)
    findings = findings_of(run, judged)
    content = {
        "status": "ok" if findings.sufficient else "insufficient",
        "settings": run.settings.evaluate.model_dump(mode="json"),
        "slices": findings.slices,
        "truth": findings.truth,
        "basis": dataclasses.asdict(findings.basis),
        "model": findings.model,
        "evaluations": [dataclasses.asdict(row) for row in judged.rows],
    }
    with published_folder(folder) as target:
        write_json(target / NUMBERS, content)
        (target / PAGE).write_text(render(findings), "utf-8")
    return folder / PAGE
