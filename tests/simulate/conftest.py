"""Small simulated books, made once."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loanbook.settings.simulate import SimulationSettings
from loanbook.simulate.book import Loans, make_book
from loanbook.simulate.job import simulate_tapes
from loanbook.simulate.macro import Macro, realised_macro
from loanbook.simulate.panel import Panel, simulate_panel


def simulated(out: Path, **options: Any) -> dict[str, Any]:
    """Simulate with yearly cohorts of curves and few macro paths: most of the time goes into the truth."""
    settings = SimulationSettings()
    sizes = {name: size.model_copy(update={"curve_every": 12}) for name, size in settings.sizes.items()}
    few = settings.truth.model_copy(update={"paths": 20})
    quick = settings.model_copy(update={"sizes": sizes, "truth": few})
    return simulate_tapes(SimpleNamespace(settings=SimpleNamespace(simulate=quick)), out=str(out), **options)


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
