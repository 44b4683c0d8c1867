"""MLflow: what a training was told, what it read and what it found, as a run beside others.

A copy for people who compare trainings. Jobs rely on none of it: the tables and the artefact are what counts.
"""

import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loanbook.errors import InputError
from loanbook.models.artefact.artefact import Artefact
from loanbook.settings.tracking import LOCAL, TrackingSettings
from loanbook.warehouse.storage import Storage

log = logging.getLogger(__name__)

MODEL_TAG, VERSION_TAG = "loanbook.model", "loanbook.version"
OF_MLFLOW = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # it would try for minutes
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # a job's stdout belongs to its result
}
MOST_IN_A_CALL = 100  # parameters or tags; of metrics 1,000


@dataclass(frozen=True)
class Tracker:
    """An experiment of an MLflow server, or of a local store.

    Args:
        client: of MLflow.
        experiment: its id.
        began: milliseconds since 1970, when the job began.
    """

    client: Any
    experiment: str
    began: int = field(default_factory=lambda: _now())

    def record(self, artefact: Artefact, folder: Path, run_id: str) -> None:
        """Record a trained model, once: parameters, metrics by epoch, lineage and the artefact's files.

        Args:
            artefact: the model.
            folder: of its files.
            run_id: of the job's run.
        """
        with _said(f"{artefact.name} {artefact.version}"):
            if self._run_of(artefact) is not None:
                return
            made = self.client.create_run(
                self.experiment, self.began, tags_of(artefact, run_id), f"{artefact.name} {artefact.version}"
            )
            run, status = made.info.run_id, "FAILED"
            try:
                self._log(run, parameters_of(artefact), epochs_of(artefact) + losses_of(artefact))
                self.client.log_artifacts(run, str(folder), "artefact")
                status = "FINISHED"
            finally:
                self.client.set_terminated(run, status)

    def add(self, artefact: Artefact, found: Mapping[str, Any], folder: Path) -> None:
        """Add what an evaluation found to the run of its model, where there is one.

        Args:
            artefact: the model.
            found: figures by name; what is no number is left out.
            folder: of the page.
        """
        with _said(f"the evaluation of {artefact.name} {artefact.version}"):
            run = self._run_of(artefact)
            if run is None:
                log.info("%s %s has no run in this experiment of MLflow", artefact.name, artefact.version)
                return
            numbers = {name: value for name, value in found.items() if isinstance(value, int | float)}
            self._log(run, {}, [(f"evaluation/{name}", float(value), 0) for name, value in numbers.items()])
            self.client.log_artifacts(run, str(folder), "evaluation")

    def _run_of(self, artefact: Artefact) -> str | None:
        where = (
            f"tags.`{MODEL_TAG}` = '{artefact.name}' and tags.`{VERSION_TAG}` = '{artefact.version}' "
            "and attributes.status = 'FINISHED'"
        )
        found = self.client.search_runs([self.experiment], where, max_results=1)
        return str(found[0].info.run_id) if found else None

    def _log(self, run: str, parameters: Mapping[str, str], metrics: list[tuple[str, float, int]]) -> None:
        from mlflow.entities import Metric, Param

        told, now = [Param(name, value) for name, value in parameters.items()], _now()
        measured = [Metric(name, value, now, step) for name, value, step in metrics]
        for start in range(0, len(told), MOST_IN_A_CALL):
            self.client.log_batch(run, params=told[start : start + MOST_IN_A_CALL])
        for start in range(0, len(measured), 10 * MOST_IN_A_CALL):
            self.client.log_batch(run, metrics=measured[start : start + 10 * MOST_IN_A_CALL])


def tracker_of(settings: TrackingSettings, storage: Storage) -> Tracker | None:
    """Return what records trainings, or None where the settings want none.

    Called before the work, so that a server that does not answer is known before hours of training.

    Raises:
        InputError: MLflow is not installed, or the server does not answer.
    """
    if settings.server is None:
        return None
    for name, value in OF_MLFLOW.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ModuleNotFoundError as error:
        raise InputError(
            required="MLflow, as tracking.server is set",
            found=f"no module {error.name}",
            do="install the extra tracking (pip install 'loanbook[tracking]'), or set tracking.server=null",
        ) from error
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    address, files = settings.server, None
    if address == LOCAL:
        folder = storage.tracking_folder()
        folder.mkdir(parents=True, exist_ok=True)
        address, files = f"sqlite:///{folder / 'mlflow.db'}", (folder / "artifacts").as_uri()
    try:
        client = MlflowClient(address)
        found = client.get_experiment_by_name(settings.experiment)
        experiment = found.experiment_id if found else client.create_experiment(settings.experiment, files)
    except MlflowException as error:
        raise InputError(
            required="an MLflow server at tracking.server",
            found=f"{settings.server}: {' '.join(str(error).split())[:200]}",
            do="correct the address or start the server, or set tracking.server=null",
        ) from error
    return Tracker(client, str(experiment))


def tags_of(artefact: Artefact, run_id: str) -> dict[str, str]:
    """Return what a model is, and the versions of the tables that it was trained on."""
    inputs = artefact.json("inputs.json")
    tables = {f"loanbook.table.{name}": str(version) for name, version in inputs["tables"].items()}
    return {
        MODEL_TAG: artefact.name,
        VERSION_TAG: artefact.version,
        "loanbook.status": artefact.status,
        "loanbook.snapshot": artefact.snapshot_id,
        "loanbook.run_id": run_id,
        **tables,
    }


def parameters_of(artefact: Artefact) -> dict[str, str]:
    """Return the settings of the training and of the architecture, flat; lists are JSON."""
    return flat(artefact.json("settings.json"))


def flat(content: Mapping[str, Any], before: str = "") -> dict[str, str]:
    """Return nested settings as dotted names and texts.

    >>> flat({"train": {"seed": 17, "borrower": []}, "model": {"head": "default_12m"}})
    {'train.seed': '17', 'train.borrower': '[]', 'model.head': 'default_12m'}
    """
    found: dict[str, str] = {}
    for name, value in content.items():
        if isinstance(value, Mapping) and value:
            found |= flat(value, f"{before}{name}.")
        else:
            found[before + name] = value if isinstance(value, str) else json.dumps(value)
    return found


def epochs_of(artefact: Artefact) -> list[tuple[str, float, int]]:
    """Return name, value and epoch of each network's losses, those of the first member first."""
    return [
        (f"network_{number}/{name}", float(value), int(measured["epoch"]))
        for number, history in enumerate(artefact.json("metrics.json")["history"], 1)
        for measured in history
        for name, value in measured.items()
        if name != "epoch"
    ]


def losses_of(artefact: Artefact) -> list[tuple[str, float, int]]:
    """Return the calibrated log losses by sample and predictor."""
    return [
        (f"log_loss/{sample}/{predictor}", float(losses["calibrated"]), 0)
        for sample, found in artefact.json("metrics.json")["log_loss"].items()
        for predictor, losses in found.items()
    ]


@contextmanager
def _said(what: str) -> Iterator[None]:
    """Warn where MLflow fails: what it would hold is saved elsewhere, and the job's result stands."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        log.warning("MLflow did not record %s: %s", what, reason)


def _now() -> int:
    return int(time.time() * 1000)
