"""Which trained model a job works with."""

from pyspark.sql import Row

from loanbook.errors import InputError
from loanbook.models.artefact import Artefact, load_artefact, model_names
from loanbook.runs import Run


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
