"""Which code wrote a table: the package's version, and the commit where it runs from a checkout."""

import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


@cache
def code_version() -> str:
    """Return the package's version, with the commit where it runs from a checkout and git can say which."""
    root = Path(__file__).parents[2]
    commit = described(root) if (root / ".git").exists() else ""
    return f"{released()}+{commit}" if commit else released()


def released() -> str:
    """Return the version in ``pyproject.toml`` of the installed package; ``unknown`` where none is."""
    try:
        return version("loanbook")
    except PackageNotFoundError:
        return "unknown"


def described(root: Path) -> str:
    """Return the checkout's commit, marked where files differ from it; empty where git cannot say."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", "-C", str(root), "describe", "--always", "--dirty"],  # noqa: S607 - the user's git
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
