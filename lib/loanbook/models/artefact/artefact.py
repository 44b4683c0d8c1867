"""A trained model on disk: files, their hashes, a version that follows from the content; no pickle."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from loanbook.book.tape_kind import Outcome
from loanbook.errors import InputError
from loanbook.models.artefact.bins import DevelopmentBins
from loanbook.models.artefact.predictor import BATCH_ROWS, Predictor
from loanbook.models.best import Best
from loanbook.models.calibration import Calibration
from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.choice import Choice
from loanbook.warehouse.storage import Storage, is_complete, published_folder, write_json

MANIFEST = "manifest.json"
DOCUMENTS = (
    "spec.json",
    "schema.json",
    "settings.json",
    "splits.json",
    "inputs.json",
    "calibration.json",
    "metrics.json",
    "bins.json",
)
MODEL = "model"  # the predictor that is the model itself; the others are its baselines


def network_file(predictor: str) -> str:
    """Return the file of a predictor's network: of the model, the mean of its members."""
    return f"{predictor}.onnx"


def member_file(number: int) -> str:
    """Return the file of a network's weights, for further training: those of the first member come first.

    >>> member_file(0)
    'member_0.weights.h5'
    """
    return f"member_{number}.weights.h5"


REQUIRED = (*DOCUMENTS, network_file(MODEL), member_file(0))


def of_predictor(target: Head, predictor: str) -> Head:
    """Return what a predictor of a model's artefact predicts.

    Args:
        target: what the model predicts.
        predictor: the model, or a baseline beside it.
    """
    return target if predictor == MODEL else target.beside


@dataclass(frozen=True)
class Artefact:
    """A registered model in memory: small enough to send to every worker process.

    A model is one member or several, networks of one kind whose mean probability it gives; beside it are the
    baselines that were fitted on the same rows.
    """

    name: str
    version: str
    files: Mapping[str, bytes]

    def json(self, file: str) -> Any:
        """Return the content of one of the JSON files."""
        return json.loads(self.files[file])

    @cached_property
    def spec(self) -> InputSpec:
        """Return the inputs that the model takes."""
        return InputSpec.model_validate_json(self.files["spec.json"])

    @cached_property
    def bins(self) -> DevelopmentBins:
        """Return the development bins and shares of inputs and scores."""
        return DevelopmentBins.model_validate_json(self.files["bins.json"])

    @cached_property
    def outcome(self) -> Outcome | None:
        """Return the tape's own outcome that it predicts, None where it predicts default as defined here."""
        content = self.json("inputs.json").get("outcome")
        return None if content is None else Outcome.model_validate(content)

    @cached_property
    def head(self) -> Head:
        """Return what the model predicts."""
        said = self.json("settings.json")["model"]["head"]
        chosen = said if isinstance(said, str) else Choice.model_validate(said)
        return head(chosen).of_tape(self.outcome).completed(self.json("inputs.json").get("measured") or {})

    @property
    def status(self) -> str:
        """Return ``ok``, ``insufficient``, or the gravest of the shortfalls."""
        return str(self.json("metrics.json")["status"])

    @property
    def teacher(self) -> str | None:
        """Return by what the network was taught, and how much that counted; None where labels alone did."""
        model = self.json("settings.json")["model"]
        if not model.get("teacher"):
            return None
        return f"{model['teacher']['name']}, whose PD counts {model['teacher_weight']:.0%}"

    def shortfalls(self, predictor: str = MODEL) -> tuple[str, ...]:
        """Return what the model, or a baseline, falls short of out of sample (see shortfalls.py)."""
        return tuple(self.json("metrics.json")["shortfalls"].get(predictor, ()))

    def scores_with(self, asked: str) -> Best:
        """Return which of its predictors scores a book, and why.

        Args:
            asked: ``best``, or a predictor's name.

        Raises:
            InputError: it has no such predictor.
        """
        if asked == "best":
            return Best.model_validate(self.json("metrics.json")["best"])
        if asked not in self.predictors:
            raise InputError(
                required=f"score.predictor: best, or one of {', '.join(self.predictors)}, which "
                f"{self.name} {self.version} has",
                found=repr(asked),
                do="correct it, or train with that baseline in train.baselines",
            )
        return Best(predictor=asked, because="score.predictor names it")

    @property
    def snapshot_id(self) -> str:
        """Return the name of the training snapshot that is the model's evidence."""
        return str(self.json("inputs.json")["snapshot"])

    @property
    def baselines(self) -> tuple[str, ...]:
        """Return the names of the baselines beside the model, the one that reports compare with first."""
        chosen = [item["name"] for item in self.json("settings.json")["train"]["baselines"]]
        return tuple(name for name in chosen if network_file(name) in self.files)

    @property
    def predictors(self) -> tuple[str, ...]:
        """Return what the artefact can predict with: the model, then its baselines."""
        return (MODEL, *self.baselines)

    @property
    def members(self) -> tuple[bytes, ...]:
        """Return the weights of each network: of a member there may be several."""
        count = sum(file.endswith(".weights.h5") for file in self.files)
        return tuple(self.files[member_file(number)] for number in range(count))

    def calibration(self, predictor: str = MODEL) -> Calibration:
        """Return the calibration of the model or of a baseline."""
        return Calibration.model_validate(self.json("calibration.json")[predictor])

    def predictor(self, name: str = MODEL, batch_rows: int = BATCH_ROWS) -> Predictor:
        """Return a predictor of the model or of a baseline; build one in each worker process."""
        network, target = self.files[network_file(name)], of_predictor(self.head, name)
        return Predictor(network, self.spec, self.calibration(name), target, batch_rows)


def canonical(content: Any) -> bytes:
    """Return JSON whose bytes follow from the content."""
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def save_artefact(storage: Storage, name: str, stamp: str, files: Mapping[str, bytes]) -> Artefact:
    """Write a model and return it; the same files give the same version, and are not written twice.

    Args:
        storage: knows ``paths.models``.
        name: of the model, a folder under ``paths.models``.
        stamp: yyyymmdd of the last training month, the first part of the version.
        files: content of the documents, of each predictor's network, and of each member's weights.
    """
    if not set(files) >= set(REQUIRED):
        raise ValueError(f"an artefact has {sorted(REQUIRED)}, not only {sorted(files)}")
    digests = {file: hashlib.sha256(files[file]).hexdigest() for file in sorted(files)}
    total = _total(name, digests)
    artefact = Artefact(name, f"{stamp}-{total[:8]}", dict(files))
    target = storage.model_folder(name, artefact.version)
    if not is_complete(target):
        with published_folder(target, {"hash": total}) as folder:
            for file, content in files.items():
                (folder / file).write_bytes(content)
            write_json(
                folder / MANIFEST,
                {"name": name, "version": artefact.version, "hash": total, "files": digests},
            )
    return artefact


def load_artefact(storage: Storage, name: str, version: str) -> Artefact:
    """Read a registered model, verifying the hash of every file.

    Raises:
        InputError: there is no such model or version, or a file is missing or altered (it is named).
    """
    folder = _folder(storage, name, version)
    manifest = _manifest(folder)
    files = {file: _bytes(folder, file) for file in manifest["files"]}
    for file, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest["files"][file]:
            raise _broken(folder, file, "its content is not what was saved")
    if _total(name, manifest["files"]) != manifest.get("hash"):
        raise _broken(folder, MANIFEST, "its hash over all files does not hold")
    return Artefact(name, folder.name, files)


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(_bytes(folder, MANIFEST))
    except ValueError as error:
        raise _broken(folder, MANIFEST, f"it is no JSON ({error})") from error
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise _broken(folder, MANIFEST, "it does not list the files with their hashes")
    for file in REQUIRED:
        if file not in manifest["files"]:
            raise _broken(folder, MANIFEST, f"it does not list {file}; did an earlier version write it?")
    return manifest


def model_names(storage: Storage) -> list[str]:
    """Return the names of the registered models."""
    return sorted(folder.name for folder in storage.model_folder().glob("*") if folder.is_dir())


def versions(storage: Storage, name: str) -> list[str]:
    """Return the complete versions of a model, in order of their names."""
    return sorted(folder.name for folder in storage.model_folder(name).glob("[0-9]*") if is_complete(folder))


def _folder(storage: Storage, name: str, version: str) -> Path:
    known = versions(storage, name)
    if version in known:
        return storage.model_folder(name, version)
    raise InputError(
        required=f"a version of the model {name!r} in {storage.model_folder()}",
        found=f"{version!r}, and these: {', '.join(known)}"
        if known
        else f"models: {', '.join(model_names(storage)) or 'none'}",
        do="name one that exists, or run train-model first",
    )


def _total(name: str, digests: Mapping[str, str]) -> str:
    return hashlib.sha256(canonical({"name": name, "files": dict(digests)})).hexdigest()


def _bytes(folder: Path, file: str) -> bytes:
    try:
        return (folder / file).read_bytes()
    except OSError as error:
        raise _broken(folder, file, "it cannot be read") from error


def _broken(folder: Path, file: str, reason: str) -> InputError:
    return InputError(
        required=f"an unaltered model in {folder}",
        found=f"{file}: {reason}",
        do="restore the folder, or train again",
    )
