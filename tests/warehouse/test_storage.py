from pathlib import Path

import pytest

from loanbook.errors import InputError
from loanbook.path_forms import local_path
from loanbook.settings.settings import load_settings
from loanbook.warehouse.storage import Storage, is_complete, published_folder, read_json, write_json


def storage_at(warehouse: str, catalog: str | None = None) -> Storage:
    return Storage(load_settings("local", [f"paths.warehouse={warehouse}"]).paths, catalog)


def test_a_local_table_has_one_place_in_every_form(tmp_path):
    storage = storage_at(str(tmp_path))
    assert storage.table_uri("scores") == f"{tmp_path}/scores"
    assert storage.spark_name("scores") == f"delta.`{tmp_path}/scores`"
    assert storage.duckdb_scan("scores") == f"delta_scan('file://{tmp_path}/scores')"
    assert storage.duckdb_scan("scores", 3) == f"delta_scan('file://{tmp_path}/scores', version => 3)"


def test_a_relative_warehouse_is_made_absolute_and_a_catalogue_names_its_tables():
    assert storage_at("build/x").table_uri("loans") == str(Path.cwd() / "build/x/loans")
    assert storage_at("build/x", "risk.book").spark_name("loans") == "risk.book.loans"


def test_a_remote_warehouse_is_for_spark_only():
    storage = storage_at("s3a://bucket/book")
    assert storage.table_uri("loans") == "s3a://bucket/book/loans"
    with pytest.raises(InputError, match="'s3a' is not supported there"):
        storage.duckdb_scan("loans")
    with pytest.raises(InputError, match="paths.models"):
        storage.model_folder("m")


def test_an_unsupported_scheme_fails_by_name():
    with pytest.raises(InputError, match="scheme 'gopher'"):
        storage_at("gopher://x")
    assert local_path("file:/tmp/x") == Path("/tmp/x")  # noqa: S108 - never opened


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "snapshot"
    with pytest.raises(RuntimeError), published_folder(target) as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with published_folder(target, {"rows": 3}) as folder:
        (folder / "data").write_text("x")
        assert not target.exists()
    assert is_complete(target)
    assert read_json(target / "_COMPLETE.json") == {"rows": 3}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["snapshot"]


def test_a_json_file_is_replaced_in_one_step(tmp_path):
    path = tmp_path / "a" / "x.json"
    write_json(path, {"a": 1})
    write_json(path, {"a": 2})
    assert read_json(path) == {"a": 2}
    assert [file.name for file in path.parent.iterdir()] == ["x.json"]
