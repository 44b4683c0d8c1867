"""What earlier trainings fitted: of the same rows, or of the same tables at earlier origins."""

from collections.abc import Iterator, Sequence
from typing import Any

from loanbook.models.artefact.artefact import Artefact, network_file
from loanbook.models.artefact.saved_artefacts import load_artefact, model_names, versions
from loanbook.settings.choice import Choice
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings
from loanbook.warehouse.storage import Storage, read_json

Fitted = tuple[bytes, Sequence[Any]]


def trained_before(
    storage: Storage, name: str, snapshot_id: str, settings: tuple[TrainSettings, ModelSettings]
) -> Artefact | None:
    """Return the version of a model that the same settings made of the same snapshot; None where none did.

    It may have more baselines than those of the settings.
    """
    train, model = settings
    for artefact in _of_snapshot(storage, name, snapshot_id):
        found = artefact.json("settings.json")
        made_by = TrainSettings.model_validate(found["train"])
        alike = _without_baselines(made_by) == _without_baselines(train)
        of_model = ModelSettings.model_validate(found["model"])
        if alike and of_model.model_dump(mode="json") == model.model_dump(mode="json"):
            fitted = [choice for choice in made_by.baselines if choice.name in artefact.baselines]
            if all(choice in fitted for choice in train.baselines):
                return artefact
    return None


def baselines_before(storage: Storage, snapshot_id: str, settings: TrainSettings) -> dict[str, Fitted]:
    """Return the baselines that the same settings made of the same snapshot, with what their members found.

    Args:
        storage: knows where models live.
        snapshot_id: of the snapshot.
        settings: their ``baselines`` are looked for; all else but these must be the same.
    """
    wanted = {choice.name: choice for choice in settings.baselines}
    found: dict[str, Fitted] = {}
    for name in model_names(storage):
        for artefact in _of_snapshot(storage, name, snapshot_id):
            made_by = TrainSettings.model_validate(artefact.json("settings.json")["train"])
            if _without_baselines(made_by) != _without_baselines(settings):
                continue
            facts = artefact.json("metrics.json")["baselines"]
            for choice in made_by.baselines:
                if wanted.get(choice.name) == choice and choice.name in artefact.baselines:
                    content = artefact.files[network_file(choice.name)]
                    found.setdefault(choice.name, (content, facts[choice.name]))
    return found


def earlier_origins(storage: Storage, artefact: Artefact) -> list[Artefact]:
    """Return the models that the same settings made of the same tables at earlier origins, the latest first.

    Args:
        storage: knows where models live.
        artefact: the model of an origin.
    """
    own = _origin(storage, artefact.name, artefact.version)
    found: dict[str, Artefact] = {}
    for version in versions(storage, artefact.name):
        fold, made_of = _origin(storage, artefact.name, version)
        if made_of == own[1] and fold > own[0]:
            found[fold] = load_artefact(storage, artefact.name, version)
    return [found[fold] for fold in sorted(found)]


def _origin(storage: Storage, name: str, version: str) -> tuple[str, Any]:
    """Return the fold of a model, and what it shares with those of other origins."""
    folder = storage.model_folder(name, version)
    inputs, splits = read_json(folder / "inputs.json"), read_json(folder / "splits.json")
    return splits["trained_fold"], [
        read_json(folder / "settings.json"),
        *(inputs.get(key) for key in ("source", "tables", "catalogue_id", "default_definition_id")),
    ]


def _of_snapshot(storage: Storage, name: str, snapshot_id: str) -> Iterator[Artefact]:
    for version in reversed(versions(storage, name)):
        inputs = read_json(storage.model_folder(name, version) / "inputs.json")
        if inputs.get("snapshot") == snapshot_id:
            yield load_artefact(storage, name, version)


def _without_baselines(settings: TrainSettings) -> dict[str, Any]:
    no_matter: Sequence[Choice] = ()
    return settings.model_copy(update={"baselines": no_matter, "model": ""}).model_dump(mode="json")
