"""Makers of runs for tests."""

from collections.abc import Callable
from pathlib import Path

from loanbook.settings.settings import load_settings
from loanbook.warehouse.runs import Run

MakeRun = Callable[..., Run]


def run_maker(folder: Path) -> MakeRun:
    """Return a maker of runs that share one warehouse below ``folder``."""

    def make(job: str = "test", *overrides: str, **options: object) -> Run:
        settings = load_settings("local", [f"paths.warehouse={folder / 'warehouse'}", *overrides])
        return Run(job, settings, **options)  # type: ignore[arg-type]

    return make
