"""Landing: files opened as delivered, every line with its number."""

import gzip
import hashlib
import zipfile
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loanbook.errors import InputError
from loanbook.sources.landing import landing, text_blocks
from loanbook.sources.landing.file_names import delivered_at_of, slice_of
from loanbook.sources.landing.find_files import find_files
from loanbook.sources.landing.landing import by_tasks, landed_files
from loanbook.warehouse.storage import LOCK
from tests.sources.tapes import file_spec


def land(
    tmp_path: Path, given: Path, **options: object
) -> list[tuple[landing.Landed, list[tuple[int, str]]]]:
    tape = find_files([str(given)], [file_spec(**options)])
    with landed_files("s", tape, tmp_path / "landing", None) as files:
        out = [(file, [row for chunk in file.chunks for row in rows(chunk)]) for file in files]
    assert not (tmp_path / "landing").exists()
    return out


def rows(chunk: Path) -> list[tuple[int, str]]:
    table = pq.read_table(chunk)
    return list(zip(table["_line"].to_pylist(), table["_text"].to_pylist(), strict=True))


def test_plain_gzip_and_zip_land_alike(tmp_path):
    content = "a,1\nb,2\nc,3"  # the last line unfinished, as editors leave it
    plain, gzipped, zipped = (tmp_path / name for name in ("plain", "gz", "zip"))
    for folder in (plain, gzipped, zipped):
        folder.mkdir()
    (plain / "tape_1.csv").write_text(content)
    (gzipped / "tape_1.csv.gz").write_bytes(gzip.compress(content.encode()))
    with zipfile.ZipFile(zipped / "any.zip", "w") as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/tape_1.csv", content)
        archive.writestr("folder/notes.txt", "not part of the tape")
    for folder in (plain, gzipped, zipped):
        ((file, lines),) = land(tmp_path, folder)
        assert lines == [(1, "a,1"), (2, "b,2"), (3, "c,3")]
        delivered = next(path for path in folder.iterdir())
        assert (file.name, file.lines) == ("tape_1.csv", 3)
        assert file.sha256 == hashlib.sha256(delivered.read_bytes()).hexdigest()


def test_chunks_keep_counting_lines(tmp_path, monkeypatch):
    monkeypatch.setattr(text_blocks, "BLOCK", 50)
    texts = [f"loan é {number},{number}" for number in range(100)]
    (tmp_path / "tape_1.csv").write_text("".join(f"{text}\r\n" for text in texts), "utf-8")
    ((file, lines),) = land(tmp_path, tmp_path / "tape_1.csv")
    assert len(file.chunks) > 3
    assert lines == list(enumerate(texts, 1))


def test_a_header_and_a_byte_order_mark_are_no_data(tmp_path):
    (tmp_path / "tape_1.csv").write_text("\ufeffid,x\na,1\n", "utf-8")
    ((file, lines),) = land(tmp_path, tmp_path / "tape_1.csv", header=True)
    assert file.header == ("id", "x")
    assert lines == [(2, "a,1")]  # numbered as an editor does


def test_parquet_lands_as_text_with_its_columns_as_header(tmp_path):
    pq.write_table(pa.table({"id": ["a,\nb", None], "x": [1.5, 2.0]}), tmp_path / "tape_1.parquet")
    ((file, lines),) = land(tmp_path, tmp_path / "tape_1.parquet")
    assert file.header == ("id", "x")
    assert [text.split(file.delimiter) for _, text in lines] == [["a,\nb", "1.5"], ["", "2"]]


@pytest.mark.parametrize("header", [True, False])
def test_an_empty_file_is_bad_input(tmp_path, header):
    (tmp_path / "tape_1.csv").write_text("id,x\n" if header else "")
    with pytest.raises(InputError, match="at least one line of data in tape_1.csv"):
        land(tmp_path, tmp_path, header=header)


def test_a_cut_archive_is_bad_input(tmp_path):
    whole = gzip.compress("\n".join(f"{i},{i * 7919 % 1000}" for i in range(5000)).encode())
    (tmp_path / "tape_1.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"whole archive tape_1\.csv\.gz"):
        land(tmp_path, tmp_path)
    assert not (tmp_path / "landing").exists()


def test_a_line_in_another_encoding_is_kept_and_marked(tmp_path):
    (tmp_path / "tape_1.csv").write_bytes("cafe,1\ncafé,2\r\nd,3\n".encode("latin-1"))
    with landed_files("s", find_files([str(tmp_path)], [file_spec()]), tmp_path / "landing", None) as (file,):
        table = pq.read_table(file.chunks[0])
    assert table["_text"].to_pylist() == ["cafe,1", "caf\\xe9,2", "d,3"]
    assert table["_damage"].to_pylist() == [None, "encoding", None]
    assert land(tmp_path, tmp_path / "tape_1.csv", encoding="latin-1")[0][1][1] == (2, "café,2")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_wide_characters_land_only_under_their_name(tmp_path, encoding, monkeypatch):
    monkeypatch.setattr(text_blocks, "BLOCK", 7)  # within a character
    texts = [f"café {number},1" for number in range(20)]
    (tmp_path / "tape_1.csv").write_bytes("\n".join(texts).encode(encoding))
    assert land(tmp_path, tmp_path, encoding=encoding)[0][1] == list(enumerate(texts, 1))
    if encoding != "utf-16-le":  # which has no byte-order mark to tell it by
        with pytest.raises(InputError, match=rf"encoding utf-8.*\n.*{encoding}"):
            land(tmp_path, tmp_path)
    (tmp_path / "tape_1.csv").write_bytes("a,1\nb".encode(encoding)[:-1])
    with pytest.raises(InputError, match=f"in the encoding {encoding}"):
        land(tmp_path, tmp_path, encoding=encoding)


def test_a_file_without_line_ends_is_no_text(tmp_path, monkeypatch):
    monkeypatch.setattr(text_blocks, "LONGEST_LINE", 1000)
    (tmp_path / "tape_1.csv").write_text("a,1\n" + "x" * 1001)
    with pytest.raises(InputError, match="without an end of line"):
        land(tmp_path, tmp_path)


def test_a_file_of_carriage_returns_alone_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "tape_1.csv").write_bytes(b"a,1\rb,2\r")
    with pytest.raises(InputError, match="carriage returns alone"):
        land(tmp_path, tmp_path)
    (tmp_path / "tape_1.csv").write_bytes(b"a,1\r\nb,2\r")
    ((_, lines),) = land(tmp_path, tmp_path)
    assert lines == [(1, "a,1"), (2, "b,2")]


def test_a_line_with_a_nul_is_kept_and_marked_as_no_text(tmp_path):
    for other, damage in ((b"b,3", None), (b"\xff,3", "encoding")):  # a line that is cut from text, or not
        (tmp_path / "tape_1.csv").write_bytes(b"a,1\nL\x00 9,2\n" + other + b"\n")
        given = find_files([str(tmp_path)], [file_spec()])
        with landed_files("s", given, tmp_path / "landing", None) as (file,):
            found = [row for chunk in file.chunks for row in pq.read_table(chunk)["_damage"].to_pylist()]
        assert found == [None, "encoding", damage]


def test_what_a_killed_process_left_is_removed_and_a_living_one_keeps_its_own(tmp_path):
    (tmp_path / "tape_1.csv").write_text("a,1\n")
    found = find_files([str(tmp_path)], [file_spec()])
    killed = tmp_path / "landing" / "killed"
    killed.mkdir(parents=True)
    (killed / LOCK).touch()
    with landed_files("s", found, tmp_path / "landing" / "one", None) as (first,):
        assert not killed.exists()
        with landed_files("s", found, tmp_path / "landing" / "two", None):
            assert rows(first.chunks[0]) == [(1, "a,1")]
    assert list((tmp_path / "landing").iterdir()) == []


def test_slice_and_day_of_delivery_come_from_the_name():
    named = file_spec(slice=r"(\d{4})", delivered_at=r"_(\d{8})\.")
    assert slice_of("tape_2019.csv", named) == "2019"
    assert delivered_at_of("tape_20190203.csv", named) == date(2019, 2, 3)
    with pytest.raises(InputError, match="day YYYYMMDD"):
        delivered_at_of("tape_20191301.csv", named)
    with pytest.raises(InputError, match="a slice in the file's name"):
        slice_of("tape.csv", named)


def test_a_file_has_the_layout_that_its_first_line_fits(tmp_path):
    two, three = {"id": "text", "x": "int"}, {"id": "text", "x": "int", "late": "text"}
    (tmp_path / "tape_1.csv").write_text("a,1\n")
    (tmp_path / "tape_2.csv").write_text("a,1,z\n")
    (tmp_path / "tape_3.csv").write_text("a,1,z,?\n")
    landed = land(tmp_path, tmp_path, fields={}, layouts=[two, three])
    assert [list(file.fields) for file, _ in landed] == [list(two), list(three), list(two)]
    assert list(landed[0][0].spec.all_fields) == list(three)
    with pytest.raises(InputError, match="two types in two layouts: x"):
        file_spec(fields={}, layouts=[two, {**three, "x": "text"}])
    with pytest.raises(InputError, match="either 'fields' or 'layouts'"):
        file_spec(layouts=[two])


def test_one_odd_first_line_does_not_decide_the_layout(tmp_path):
    two, three = {"id": "text", "x": "int"}, {"id": "text", "x": "int", "late": "text"}
    (tmp_path / "tape_1.csv").write_text("rubbish\n" + "a,1,z\n" * 5)
    ((file, lines),) = land(tmp_path, tmp_path, fields={}, layouts=[two, three])
    assert list(file.fields) == list(three)
    assert len(lines) == 6


def test_files_landed_by_tasks_are_those_landed_here(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(landing, "FEW_BYTES", 0)
    for number in (1, 2, 3):
        (tmp_path / f"tape_{number}.csv").write_text(f"a,{number}\n")
    found = find_files([str(tmp_path)], [file_spec()])
    with landed_files("s", found, tmp_path / "landing", None, None, by_tasks(spark)) as files:
        assert [rows(chunk) for file in files for chunk in file.chunks] == [
            [(1, f"a,{k}")] for k in (1, 2, 3)
        ]
        assert all(file.spec is given for file, (_, given) in zip(files, found, strict=True))
    (tmp_path / "tape_2.csv").write_text("")
    with (
        pytest.raises(InputError, match="at least one line of data in tape_2"),
        landed_files("s", found, tmp_path / "landing", None, None, by_tasks(spark)),
    ):
        pass
