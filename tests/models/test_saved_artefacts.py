import json
from pathlib import Path

import pytest

from loanbook.errors import InputError
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.saved_artefacts import REQUIRED, load_artefact, save_artefact, versions
from loanbook.settings.settings import load_settings
from loanbook.warehouse.storage import Storage
from tests.models.specs import SPEC


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(load_settings("local", [f"paths.warehouse={tmp_path}"]).paths)


def files(note: str = "") -> dict[str, bytes]:
    content = dict.fromkeys(REQUIRED, b"{}")
    content["spec.json"] = SPEC.model_dump_json().encode()
    content["calibration.json"] = json.dumps({"model": {"method": "identity"}}).encode()
    content["metrics.json"] = json.dumps({"status": "ok", "note": note}).encode()
    return content


def saved(storage: Storage, note: str = "") -> Artefact:
    return save_artefact(storage, "small", "20200131", files(note))


def test_round_trip(storage: Storage) -> None:
    artefact = saved(storage)
    again = load_artefact(storage, "small", artefact.version)
    assert again == artefact
    assert again.spec == SPEC
    assert again.status == "ok"
    assert again.calibration("model").uncalibrated


def test_version_follows_the_content_and_the_last_one_is_the_default(storage: Storage) -> None:
    first = saved(storage)
    assert saved(storage).version == first.version
    second = saved(storage, "other")
    assert second.version != first.version
    assert first.version.startswith("20200131-")
    assert versions(storage, "small") == sorted([first.version, second.version])


@pytest.mark.parametrize("file", ["model.onnx", "spec.json", "manifest.json"])
def test_an_altered_file_is_named(storage: Storage, file: str) -> None:
    version = saved(storage).version
    path = storage.model_folder("small", version, file)
    path.write_bytes(
        path.read_bytes().replace(b"20200131", b"20200132") if file == "manifest.json" else b"altered"
    )
    if file == "manifest.json":
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps({**manifest, "hash": "0"}))
    with pytest.raises(InputError, match=file):
        load_artefact(storage, "small", version)


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"files": []}', b'{"files": {}}', b"", b"\xff"])
def test_a_manifest_that_is_none_is_named(storage: Storage, content: bytes) -> None:
    version = saved(storage).version
    storage.model_folder("small", version, "manifest.json").write_bytes(content)
    with pytest.raises(InputError, match=r"(manifest|model)\.(json|onnx): it"):
        load_artefact(storage, "small", version)


def test_a_missing_file_is_named(storage: Storage) -> None:
    version = saved(storage).version
    storage.model_folder("small", version, "bins.json").unlink()
    with pytest.raises(InputError, match=r"bins\.json: it cannot be read"):
        load_artefact(storage, "small", version)


def test_unknown_models_and_versions_are_refused_with_the_known_ones(storage: Storage) -> None:
    version = saved(storage).version
    with pytest.raises(InputError, match="models: small"):
        load_artefact(storage, "large", version)
    with pytest.raises(InputError, match=version):
        load_artefact(storage, "small", "20200131-00000000")


def test_a_half_written_version_does_not_exist(storage: Storage) -> None:
    version = saved(storage).version
    storage.model_folder("small", version, "_COMPLETE.json").unlink()
    assert versions(storage, "small") == []
