"""Small simulated books, made once."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loanbook.sources.simulate.book import Loans, make_book
from loanbook.sources.simulate.job import simulate_tapes
from loanbook.sources.simulate.macro import Macro, realised_macro
from loanbook.sources.simulate.panel import Panel, simulate_panel
from loanbook.sources.simulate.settings import SimulationSettings


def simulated(out: Path, **options: Any) -> dict[str, Any]:
    run = SimpleNamespace(settings=SimpleNamespace(simulate=SimulationSettings()))
    return simulate_tapes(run, out=str(out), **options)


@dataclass(frozen=True)
class LargeBook:
    settings: SimulationSettings
    macro: Macro
    loans: Loans
    panel: Panel


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tiny")
    simulated(out, size="tiny")
    return out


@pytest.fixture(scope="session")
def large() -> LargeBook:
    settings, months = SimulationSettings(), 120
    seed = settings.seed
    macro = realised_macro(settings, months, seed)
    loans = make_book(settings, macro, 25_000, months, seed)
    return LargeBook(settings, macro, loans, simulate_panel(settings, macro, loans, months, 0.0, seed, 0))
