import os
import shlex

import pytest
from py4j.java_gateway import JavaClass, JVMView
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.warehouse.session import _name_files_in_utf8, _require_names, with_classes


@pytest.mark.parametrize(
    ("given", "then"),
    [
        ({}, "C.UTF-8"),
        ({"LC_ALL": "C"}, "C.UTF-8"),
        ({"LC_ALL": "", "LC_CTYPE": "POSIX", "LANG": "de_DE.UTF-8"}, "C.UTF-8"),
        ({"LANG": "de_DE.UTF-8"}, None),
        ({"LC_ALL": "en_US.utf8", "LANG": "C"}, "en_US.utf8"),
    ],
)
def test_the_jvm_is_started_in_a_locale_that_names_files_as_python_does(given, then, monkeypatch):
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    _name_files_in_utf8()
    assert os.environ.get("LC_ALL") == then


def test_a_folder_that_the_jvms_locale_cannot_name_is_refused_with_setting_and_locale():
    folders = {"paths.models": "/data/m", "paths.warehouse": "/data/w\xe4re"}
    _require_names("UTF-8", folders)
    with pytest.raises(InputError, match=r"characters of paths.warehouse(.|\n)*ANSI_X3.4-1968(.|\n)*LC_ALL"):
        _require_names("ANSI_X3.4-1968", folders)


def test_a_jvm_takes_the_archive_of_classes_where_there_is_one(tmp_path):
    archive = tmp_path / "a folder" / "classes.jsa"
    assert with_classes("-Xmx1g", archive) == "-Xmx1g"
    archive.parent.mkdir()
    archive.touch()
    assert shlex.split(with_classes("-Xmx1g", archive)) == [
        "-Xmx1g", f"-XX:SharedArchiveFile={archive}", "-Xlog:disable",
    ]  # fmt: skip
    assert with_classes("-XX:SharedArchiveFile=mine", archive) == "-XX:SharedArchiveFile=mine"


def test_an_expression_does_not_ask_the_jvm_again_where_its_functions_are(spark, monkeypatch):
    def expression():
        return F.when(F.col("a").isin("x", "y"), F.coalesce(F.col("b"), F.lit(1)))

    expression()  # the first one of a process asks for pyspark's own settings
    asked = []
    for looked_up in (JVMView, JavaClass):
        monkeypatch.setattr(looked_up, "__getattr__", lambda _, name: asked.append(name))
    expression()
    assert asked == []
