"""The files of a delivery, found in folders and archives, or refused where they cannot be read."""

import logging
import os
import warnings
import zipfile

import pytest

from loanbook.errors import InputError
from loanbook.sources.landing.find_files import files_of, find_files
from tests.sources.tapes import file_spec


def test_what_is_no_file_is_refused_before_anything_waits_for_it(tmp_path):
    (tmp_path / "tape_1.csv").write_text("a,1\n")
    os.mkfifo(tmp_path / "tape_2.csv")
    for given in (tmp_path, tmp_path / "tape_2.csv"):
        with pytest.raises(InputError, match=r"cannot be read twice: .*tape_2\.csv"):
            find_files([str(given)], [file_spec()])
    (tmp_path / "tape_2.csv").unlink()
    (tmp_path / "tape_2.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(InputError, match=r"a link to nothing.*tape_2\.csv"):
        find_files([str(tmp_path)], [file_spec()])
    (tmp_path / "tape_2.csv").rename(tmp_path / ".#tape_2.csv")  # as an editor locks a file
    assert [file.name for file, _ in find_files([str(tmp_path)], [file_spec()])] == ["tape_1.csv"]


def test_files_that_no_pattern_matches_are_named(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("loanbook"), "propagate", True)
    for name in ("tape_1.csv", "tape_2.csv (1)", "tape_3.CSV"):
        (tmp_path / name).write_text("a,1\n")
    with caplog.at_level(logging.WARNING, "loanbook"):
        assert [file.name for file, _ in find_files([str(tmp_path)], [file_spec()])] == ["tape_1.csv"]
    assert "tape_2.csv (1), tape_3.CSV" in caplog.text
    with pytest.raises(InputError, match=r"found:\s+tape_3\.CSV"):
        find_files([str(tmp_path / "tape_1.csv"), str(tmp_path / "tape_3.CSV")], [file_spec()])


def test_archives_are_known_by_any_case_and_one_that_cannot_be_opened_is_bad_input(tmp_path):
    path = tmp_path / "TAPE.ZIP"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tape_1.csv", "a,1\n")
    (file,) = find_files([str(path)], [file_spec()])
    with file[0].open() as stream:
        assert stream.read() == b"a,1\n"
    content = path.read_bytes()
    marks = ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8))  # the general flags; their first bit: encrypted
    for mark, offset in marks:
        place = content.index(mark) + offset
        content = content[:place] + b"\x01" + content[place + 1 :]
    path.write_bytes(content)
    with pytest.raises(InputError, match="without a password"), file[0].open():
        pass


def test_missing_and_repeated_files_are_bad_input(tmp_path):
    with pytest.raises(InputError, match="nothing of that name"):
        find_files([str(tmp_path / "nowhere")], [file_spec()])
    (tmp_path / "other.csv").write_text("a,1\n")
    with pytest.raises(InputError, match=r"found:\s+other\.csv"):
        find_files([str(tmp_path)], [file_spec()])
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tape_1.csv").write_text("a,1\n")
    with pytest.raises(InputError, match="each file of the tape once"):
        find_files([str(tmp_path)], [file_spec()])


def test_leftovers_are_passed_over_by_name_whatever_the_pattern(tmp_path, caplog):
    caplog.set_level("INFO")
    tape = tmp_path / "tape"
    (tape / ".git").mkdir(parents=True)
    for name in (
        "._loans_1.csv",
        "_SUCCESS",
        ".loans_1.csv.crc",
        "~$loans_1.csv",
        "loans_2.csv.part",
        ".git/loans_9.csv",
    ):
        (tape / name).write_text("x\n1\n")
    with zipfile.ZipFile(tape / "JAN.ZIP", "w") as archive:
        archive.writestr("a/b/loans_1.csv", "x\n1\n")
        archive.writestr("a\\c\\loans_3.csv", "x\n1\n")
        archive.writestr("__MACOSX/a/b/._loans_1.csv", "x\n1\n")
    found = find_files([str(tape)], [file_spec(pattern=".*loans_.*")])
    assert [file.name for file, _ in found] == ["loans_1.csv", "loans_3.csv"]
    assert "passed over, as no part of a delivery: " in caplog.text
    assert files_of([str(tape)])[1] == [
        "._loans_1.csv", ".git/loans_9.csv", ".loans_1.csv.crc", "__MACOSX/a/b/._loans_1.csv", "_SUCCESS",
        "loans_2.csv.part", "~$loans_1.csv",
    ]  # fmt: skip
    (named,) = find_files([str(tape / "._loans_1.csv")], [file_spec(pattern=".*loans_.*")])
    assert named[0].name == "._loans_1.csv"


def test_one_name_twice_in_an_archive_is_refused(tmp_path):
    with warnings.catch_warnings(), zipfile.ZipFile(tmp_path / "tape.zip", "w") as archive:
        warnings.simplefilter("ignore")  # of zipfile, about the second
        archive.writestr("tape_1.csv", "x\n1\n")
        archive.writestr("tape_1.csv", "x\n2\n")
    with pytest.raises(InputError, match=r"(?s)once in the archive tape\.zip.*twice: tape_1\.csv"):
        find_files([str(tmp_path / "tape.zip")], [file_spec()])


def test_a_file_named_by_a_relative_path_that_matches_no_pattern_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("tape_1.csv", "other.csv"):
        (tmp_path / name).write_text("x\n1\n")
    with pytest.raises(InputError, match=r"(?s)names match one of.*other\.csv"):
        find_files(["tape_1.csv", "other.csv"], [file_spec()])
