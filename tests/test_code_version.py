import re
import subprocess

from loanbook.code_version import described


def test_a_checkout_tells_its_commit_and_no_git_or_no_checkout_tells_none(tmp_path, monkeypatch):
    assert described(tmp_path) == ""  # no checkout
    run = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*run, "init", "-q"], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    assert re.fullmatch("[0-9a-f]{7,}", described(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))  # no program git
    assert described(tmp_path) == ""
