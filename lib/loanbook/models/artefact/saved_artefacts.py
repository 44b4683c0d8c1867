"""Trained models on disk: files, their hashes, a version that follows from the content; no pickle."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loanbook.errors import InputError
from loanbook.models.artefact.artefact import MODEL, Artefact, member_file, network_file
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
REQUIRED = (*DOCUMENTS, network_file(MODEL), member_file(0))


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
