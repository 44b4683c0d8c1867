"""How long the compared took to train: in this comparison, or before it, as the runs of then recorded."""

import json
from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.models.artefact.artefact import MODEL, Artefact

Seconds = Mapping[str, float]


def seconds_of(phases: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds of training by predictor; none where nothing was trained.

    >>> seconds_of({"snapshot": 5.0, "worker_start": 3.0, "worker_fit": 9.0, "worker_cart": 1.0})
    {'model': 9.0, 'cart': 1.0}
    """
    workers = {name.removeprefix("worker_"): value for name, value in phases.items() if "worker_" in name}
    return {MODEL if name == "fit" else name: value for name, value in workers.items() if name != "start"}


def seconds_before(runs: DataFrame, artefacts: Mapping[str, Artefact]) -> dict[str, Seconds]:
    """Return by architecture the seconds of the training that made its artefact, by predictor.

    Args:
        runs: rows of ``runs`` from before the comparison.
        artefacts: by architecture. A version is its content, so that it cannot hold how long it took.
    """
    trained = (F.col("job") == "train_model") & (F.col("status") == "published")
    versions = F.col("model_version").isin([one.version for one in artefacts.values()])
    rows = runs.where(trained & versions).orderBy("finished_at").collect()
    found: dict[tuple[str, str], Seconds] = {}
    for row in rows:
        seconds = seconds_of(json.loads(row["details"]).get("phase_seconds", {}))
        if MODEL in seconds:
            found[row["model_name"], row["model_version"]] = seconds
    return {name: found.get((one.name, one.version), {}) for name, one in artefacts.items()}
