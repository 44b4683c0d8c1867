from datetime import date
from pathlib import Path

import pytest

from loanbook.errors import InputError
from loanbook.path_forms import delta_name, local_path, plainly_named, spark_reads
from loanbook.settings.settings import load_settings
from loanbook.sources.canonical.frames import keeper
from loanbook.sources.landing.table_rows import last_version, numbered_lines
from loanbook.tables.macro import MACRO
from loanbook.warehouse import delta
from loanbook.warehouse.storage import Storage

SIGNS = "it's ä%#?\"`*[{,x}=1;&~$!(|)"  # all that a folder's name may hold and an engine may misread


def storage_at(**paths: str) -> Storage:
    return Storage(load_settings("local", [f"paths.{name}={path}" for name, path in paths.items()]).paths)


def test_every_table_operation_works_below_any_name(make_run, tmp_path):
    run = make_run("test", f"paths.warehouse={tmp_path / SIGNS}")
    storage = run.storage
    row = ("m", "US", date(2020, 1, 31), "hpi", date(2020, 3, 31), 1.0, "d")
    one, two = (run.spark.createDataFrame([row] * count, MACRO.schema) for count in (1, 2))
    first = delta.append(run.spark, storage, MACRO, one, {})
    delta.append(run.spark, storage, MACRO, two, {})
    delta.restore(run.spark, storage, MACRO, first, {})
    last = delta.latest_version(run.spark, storage, MACRO)
    assert last is not None
    assert delta.read(run.spark, storage, MACRO, last).count() == 1
    assert (tmp_path / SIGNS / "macro" / "_delta_log").is_dir()

    tape = last_version(run.spark, delta_name(storage.table_uri("macro")))
    lines, count = numbered_lines(tape.frame.select("value"), "|", tmp_path / SIGNS / "sorted")
    kept = keeper(tmp_path / SIGNS)(lines, "kept")
    assert (count, [tuple(row) for row in kept.collect()]) == (1, [("1.0", 1)])
    files = [spark_reads(file) for file in (tmp_path / SIGNS / "kept").iterdir() if file.suffix == ".parquet"]
    assert run.spark.read.parquet(*files).count() == 1

    duckdb = pytest.importorskip("duckdb")
    from loanbook.sql.duckdb import delta_extension

    connection = duckdb.connect()
    connection.execute(f"LOAD '{delta_extension()}'")
    for version in (None, last):
        assert connection.execute(
            f"SELECT count(*) FROM {storage.duckdb_scan('macro', version)}"
        ).fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/a b/%20x", "/a b/%20x"), ("file:/a#b?c", "/a#b?c"), ("file:///a;b", "/a;b"), ("/a:/b/", "/a:/b"),
        ("file://localhost/a", "/a"), ("~/x", f"{Path.home()}/x"), ("/a/~", "/a/~"),
        ("x: y", f"{Path.cwd()}/x: y"),
    ],
)  # fmt: skip
def test_a_path_is_taken_as_it_is(text, path):
    assert str(local_path(text)) == path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"), ("/a\nb", "control signs"), ("/a\udcff", "no text"), ("s3a://b/x", "scheme 's3a'"),
        ("file://tapes/a", "host 'tapes'"), ("file:/a%20b", "'%20' may stand for"),
    ],
)  # fmt: skip
def test_a_path_that_engines_would_take_for_different_ones_is_refused(text, why):
    with pytest.raises(InputError, match=f"(?s)--tapes.*{why}"):
        local_path(text, "--tapes")


def test_what_an_engine_cannot_read_is_refused_with_the_setting(tmp_path):
    for name in ("pct%20x", "back\\slash"):
        with pytest.raises(InputError, match="paths.warehouse that 'loanbook sql' can read"):
            storage_at(warehouse=str(tmp_path / name))
        storage_at(warehouse=str(tmp_path), models=str(tmp_path / name), landing=str(tmp_path / name))
    (tmp_path / "pct%20x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "pct%20x")
    with pytest.raises(InputError, match="'%20'"):
        storage_at(warehouse=str(tmp_path / "link"))
    with pytest.raises(InputError, match=r"(?s)paths\.landing without ':'.*'\['"):
        storage_at(warehouse=str(tmp_path), landing="/a:b/c[d]")
    with pytest.raises(InputError, match=r"paths\.reports"):
        storage_at(warehouse=str(tmp_path), reports="file:/a%20b")


@pytest.mark.parametrize("path", ["/a #b", "/a: b", "[x]", "*x", "2019", "a=b", "null"])
def test_a_path_on_the_command_line_is_no_yaml(path):
    paths = load_settings("local", [f"paths.warehouse={path}"]).paths
    assert (paths.warehouse, paths.models) == (path, f"{path}/_models")


def test_other_settings_on_the_command_line_are_yaml_and_refused_where_they_are_none():
    assert load_settings("local", ["ingest.bounds.rows=[0, 9]"]).ingest.bounds.rows == (0, 9)
    with pytest.raises(InputError, match="undefined alias"):
        load_settings("local", ["train.model=*x"])


def test_a_plain_link_leads_to_the_folder_while_it_is_needed(tmp_path):
    (tmp_path / "a#b").mkdir()
    (tmp_path / "a#b" / "file").write_text("x")
    with plainly_named(tmp_path / "a#b") as link:
        assert (link / "file").read_text() == "x"
        assert "#" not in str(link)
    assert not link.exists()
    assert (tmp_path / "a#b" / "file").exists()
