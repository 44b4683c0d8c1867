"""Which trained model a job works with, and whether its scores are the book's."""

from dataclasses import dataclass
from typing import Literal

from pyspark.sql import Row

from loanbook.errors import InputError
from loanbook.models.artefact.artefact import Artefact, load_artefact, model_names
from loanbook.warehouse.runs import Run

Role = Literal["book", "challenger"]


@dataclass(frozen=True)
class Chosen:
    """A model, whether the caller named it in this run, and whether its scores are the book's."""

    artefact: Artefact
    by_name: bool
    role: Role


def model_for_book(run: Run, model: str | None, model_version: str | None) -> Chosen:
    """Return the model that scores the book of the run's source, or the challenger that was asked for.

    Without a model given it is the one of ``score.model``, else the one trained last. A model given is a
    challenger, unless it is that of ``score.model`` or of the last published scores of the book, or the book
    has none yet.

    Raises:
        InputError: as ``chosen_model`` does.
    """
    named = model is not None or model_version is not None
    if not named:
        return Chosen(_by_settings(run) or chosen_model(run, None, None), by_name=False, role="book")
    artefact = chosen_model(run, model, model_version)
    of_book = _scored_last(run)
    is_book = of_book is None or of_book == (artefact.name, artefact.version)
    if not is_book and artefact.name == _setting(run)[0]:
        by_settings = _by_settings(run)
        is_book = by_settings is not None and by_settings.version == artefact.version
    return Chosen(artefact, by_name=True, role="book" if is_book else "challenger")


def _setting(run: Run) -> tuple[str | None, str | None]:
    name, _, version = (run.settings.score.model or "").partition("/")
    return name or None, version or None


def _by_settings(run: Run) -> Artefact | None:
    name, version = _setting(run)
    return None if name is None else chosen_model(run, name, version)


def _scored_last(run: Run) -> tuple[str, str] | None:
    """Return the model of the last published scores of the book."""
    key = ("score_portfolio", run.source, run.settings.score.scenario, "book")
    for row in reversed(run.published_runs):
        if (row["job"], row["source"], row["scenario"], row["model_role"]) == key:
            return row["model_name"], row["model_version"]
    return None


def chosen_model(run: Run, model: str | None, model_version: str | None) -> Artefact:
    """Return the artefact asked for; by default that of the training run published last.

    A run of one source considers the models trained on it only; a model given without its version means the
    version trained last.

    Raises:
        InputError: nothing has been trained, a version is given without its model, or there is no such model.
    """
    if model is None and model_version is not None:
        raise InputError(
            required="--model NAME with --model-version",
            found=f"--model-version {model_version} alone",
            do="name the model too",
        )
    if model is not None and model_version is not None:
        return load_artefact(run.storage, model, model_version)
    trained = _trained_last(run, model)
    if trained is not None:
        return load_artefact(run.storage, *trained)
    what = f"of the name {model!r}" if model else f"of the source {run.source!r}" if run.source else ""
    raise InputError(
        required=f"a trained model {what}".rstrip(),
        found=f"no published run of train-model for it in {run.settings.paths.warehouse}; "
        f"models: {', '.join(model_names(run.storage)) or 'none'}",
        do="run train-model first, or name a model of paths.models with --model and --model-version",
    )


def _trained_last(run: Run, model: str | None) -> tuple[str, str] | None:
    for row in reversed(run.published_runs):
        if row["job"] == "train_model" and _is_asked_for(row, run.source, model):
            return row["model_name"], row["model_version"]
    return None


def _is_asked_for(row: Row, source: str | None, model: str | None) -> bool:
    if model is not None:
        return bool(row["model_name"] == model)
    return source is None or bool(row["source"] == source)
