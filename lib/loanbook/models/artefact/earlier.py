"""What an earlier training of the same rows has fitted already."""

from collections.abc import Iterator, Sequence
from typing import Any

from loanbook.models.artefact.artefact import Artefact, load_artefact, model_names, network_file, versions
from loanbook.settings.choice import Choice
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings
from loanbook.warehouse.storage import Storage, read_json

Fitted = tuple[bytes, Sequence[Any]]


def trained_before(
    storage: Storage, name: str, snapshot_id: str, settings: tuple[TrainSettings, ModelSettings]
) -> Artefact | None:
    """Return the version of a model that the same settings made of the same snapshot; None where none did."""
    train, model = (item.model_dump(mode="json") for item in settings)
    for artefact in _of_snapshot(storage, name, snapshot_id):
        if artefact.json("settings.json") == {"train": train, "model": model}:
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


def _of_snapshot(storage: Storage, name: str, snapshot_id: str) -> Iterator[Artefact]:
    for version in reversed(versions(storage, name)):
        inputs = read_json(storage.model_folder(name, version) / "inputs.json")
        if inputs.get("snapshot") == snapshot_id:
            yield load_artefact(storage, name, version)


def _without_baselines(settings: TrainSettings) -> dict[str, Any]:
    no_matter: Sequence[Choice] = ()
    return settings.model_copy(update={"baselines": no_matter, "model": ""}).model_dump(mode="json")
