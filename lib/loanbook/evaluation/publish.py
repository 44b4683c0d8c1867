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
    """Return the rows of ``predictions`` of each sample that has any, those of earlier origins too."""
    own = [(judged.artefact, judged.fold.name, part) for part in judged.samples]
    earlier = [(one.artefact, one.fold.name, one.test) for one in judged.back_tests]
    return [
        prediction_rows(part, artefact, fold) for artefact, fold, part in (*own, *earlier) if len(part.label)
    ]


def evaluations_of(judged: Judged) -> pd.DataFrame:
    """Return the rows of ``evaluations``: those of an earlier origin under the version of its own model."""
    of_versions = [(judged.artefact, [*judged.rows, *judged.pooled])]
    of_versions += [(one.artefact, list(one.rows)) for one in judged.back_tests]
    return pd.DataFrame(
        [
            {"model_name": of.name, "model_version": of.version, **dataclasses.asdict(row)}
            for of, rows in of_versions
            for row in rows
        ]
    )


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
        "levels": {name: dataclasses.asdict(level) for name, level in judged.levels.items()},
        "settings": findings.settings.model_dump(mode="json"),
        "samples": findings.samples,
        "truth": findings.truth,
        "test_window": findings.window,
        "basis": dataclasses.asdict(findings.basis),
        "model": findings.model,
        "origins": judged.origins,
        "evaluations": [dataclasses.asdict(row) for row in (*judged.rows, *judged.pooled)],
    }
    with published_folder(folder) as target:
        write_json(target / NUMBERS, content)
        (target / PAGE).write_text(render(findings), "utf-8")
    return folder / PAGE
