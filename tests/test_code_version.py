import re
import subprocess
import tomllib

from loanbook.code_version import code_version, described
from tests.conftest import ROOT


def test_the_version_is_that_of_the_project_file():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert code_version().partition("+")[0] == project["version"]


def test_a_checkout_tells_its_commit_and_no_git_or_no_checkout_tells_none(tmp_path, monkeypatch):
    assert described(tmp_path) == ""  # no checkout
    run = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*run, "init", "-q"], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    assert re.fullmatch("[0-9a-f]{7,}", described(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # no program git
    assert described(tmp_path) == ""
