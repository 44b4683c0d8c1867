"""How a file's bytes become lines: encodings, ends of lines, and what is no text."""

import gzip
import random
import zipfile

import pytest

from loanbook.errors import InputError
from loanbook.sources.inspect.arrived import arrived_files
from loanbook.sources.inspect.encoding import read_text
from loanbook.sources.landing.tape_file import TapeFile

LINES = "id;name\r\n" + "".join(f"{number};Größe\r\n" for number in range(3000))


@pytest.mark.parametrize(
    ("codec", "found", "words"),
    [
        ("utf-8", "utf-8", "all are valid"),
        ("utf-8-sig", "utf-8-sig", "byte-order mark"),
        ("utf-16", "utf-16", "byte-order mark"),
        ("utf-16-be", "utf-16-be", "every other byte is zero"),
        ("latin-1", "latin-1", "0xf6 in line 2"),
        ("ascii", "utf-8", "nothing but ASCII"),
    ],
)
def test_encodings_are_told_apart(tmp_path, codec, found, words):
    content = LINES if codec != "ascii" else LINES.replace("öß", "os")
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode(codec))
    text = read_text(TapeFile(path, "a.csv"), 0)
    assert text.encoding == found
    assert words in text.decided
    assert text.lines == content.split("\r\n")[:-1]
    assert (text.ending, text.is_whole, text.cut_last) == (r"\r\n", True, False)


def test_signs_that_only_windows_has_make_it_cp1252(tmp_path):
    (tmp_path / "a.csv").write_bytes("a,5 €\n".encode("cp1252"))
    assert read_text(TapeFile(tmp_path / "a.csv", "a.csv"), 0).encoding == "cp1252"


@pytest.mark.parametrize(
    ("content", "ending", "lines", "cut"),
    [
        ("a\nb\n", r"\n", ["a", "b"], False),
        ("a\nb", r"\n", ["a", "b"], True),
        ("a\rb\r", r"\r", ["a", "b"], False),
        ("a\r\nb\nc\n", r"mixed: 1 \r\n and 2 \n", ["a", "b", "c"], False),
        ("a\n\n b\n", r"\n", ["a", "", " b"], False),
        ("a\u2028b\x0bc\n", r"\n", ["a\u2028b\x0bc"], False),
    ],
)
def test_ends_of_lines(tmp_path, content, ending, lines, cut):
    (tmp_path / "a.csv").write_bytes(content.encode())
    text = read_text(TapeFile(tmp_path / "a.csv", "a.csv"), 0)
    assert (text.ending, text.lines, text.cut_last) == (ending, lines, cut)


@pytest.mark.parametrize("limit", [1, 2999, 3000, 3001, 3002, 0])
def test_a_sample_says_whether_it_is_the_whole(tmp_path, limit):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(LINES.encode()))
    text = read_text(TapeFile(path, "a.csv"), limit)
    assert len(text.lines) == min(limit or 3001, 3001)
    assert text.is_whole == (limit not in (1, 2999, 3000))


def test_an_archive_cut_short_gives_the_lines_before(tmp_path):
    draw = random.Random(1)  # noqa: S311 - test data
    content = "".join(f"{draw.random()}\n" for _ in range(20_000)).encode()
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(content)[: len(content) // 4])
    text = read_text(TapeFile(path, "a.csv"), 0)
    assert 0 < len(text.lines) < 20_000
    assert "cut short" in str(text.damage)
    assert not text.is_whole
    assert text.lines == content.decode().split("\n")[: len(text.lines)]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (bytes(range(256)) * 40, "binary data"),
        (gzip.compress(b"a,b\n", mtime=0), "gzip data under a name without .gz"),
        (b"PK\x03\x04" + b"\0" * 40, "spreadsheet"),
        (b"PAR1" + b"\0" * 40, "without .parquet"),
    ],
)
def test_what_is_no_text_is_refused_as_what_it_is(tmp_path, content, found):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_text(TapeFile(path, "a.csv"), 0)
    assert found in error.value.found
    assert error.value.do


def test_folders_and_archives_are_opened_and_hidden_files_named(tmp_path):
    (tmp_path / ".DS_Store").write_text("x")
    with zipfile.ZipFile(tmp_path / "tape.zip", "w") as archive:
        archive.writestr("2024/loans.csv", "a\n")
        archive.writestr("__MACOSX/2024/loans.csv", "x")
    files, hidden = arrived_files(str(tmp_path))
    assert [(file.name, file.member) for file in files] == [("loans.csv", "2024/loans.csv")]
    assert hidden == [".DS_Store", "__MACOSX/2024/loans.csv"]


@pytest.mark.parametrize("name", ["nothing", "empty", "empty.zip", "cut.zip"])
def test_nothing_to_read_is_bad_input(tmp_path, name):
    (tmp_path / "empty").mkdir()
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError):
        arrived_files(str(tmp_path / name))
