"""What an evaluation found, as rows of two tables, a JSON file and the page."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from loanbook.evaluation.findings import Findings
from loanbook.evaluation.judged import Judged
from loanbook.evaluation.report import render
from loanbook.evaluation.sample import prediction_rows
from loanbook.tables.base import Table
from loanbook.warehouse.storage import published_folder, write_json

PAGE, NUMBERS = "report.html", "evaluation.json"


def predictions_of(judged: Judged) -> list[pd.DataFrame]:
    """Return the rows of ``predictions`` of each sample that has any."""
    return [prediction_rows(part, judged.artefact, judged.fold) for part in judged.samples if len(part.label)]


def evaluations_of(judged: Judged) -> pd.DataFrame:
    """Return the rows of ``evaluations``."""
    model = {"model_name": judged.artefact.name, "model_version": judged.artefact.version}
    return pd.DataFrame([{**model, **dataclasses.asdict(row)} for row in judged.rows])


def frame_of(spark: SparkSession, table: Table, parts: Sequence[pd.DataFrame]) -> DataFrame:
    """Return pandas rows as a frame of a table."""
    empty = table.empty(spark)
    if not parts:
        return empty
    return spark.createDataFrame(pd.concat(parts, ignore_index=True)[table.column_names], empty.schema)


def write_report(folder: Path, judged: Judged, findings: Findings) -> Path:
    """Write the numbers and the page into a folder, both or neither; return where the page is."""
    content = {
        "status": judged.status(findings.settings),
        "shortfalls": judged.shortfalls,
        "settings": findings.settings.model_dump(mode="json"),
        "samples": findings.samples,
        "truth": findings.truth,
        "test_window": findings.window,
        "basis": dataclasses.asdict(findings.basis),
        "model": findings.model,
        "evaluations": [dataclasses.asdict(row) for row in judged.rows],
    }
    with published_folder(folder) as target:
        write_json(target / NUMBERS, content)
        (target / PAGE).write_text(render(findings), "utf-8")
    return folder / PAGE
