import hashlib
import json
from pathlib import Path

import pytest

from loanbook.arguments import SIZE
from loanbook.errors import InputError
from loanbook.settings.simulate import SIZES
from loanbook.simulate import ahead, all_cores
from loanbook.simulate.identity import MANIFEST
from tests.simulate.conftest import simulated


def test_counts_are_those_of_the_files(tmp_path: Path) -> None:
    counts = simulated(tmp_path, size="bench", loans=60, months=40)
    tapes = list((tmp_path / "tapes").iterdir())
    lines = {file.name: len(file.read_text("utf-8").splitlines()) for file in tapes}
    performance = sum(n for name, n in lines.items() if "time" in name)
    assert counts["loans"] == 60 == sum(lines.values()) - performance
    assert counts["loan_months"] == performance
    assert counts["files"] == len(tapes) + 1 + 2  # the macro file; the truth and its curves
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.fixture(scope="module")
def of_two_seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books ``one`` and ``again`` of the first seed, ``other`` of the second."""
    folder = tmp_path_factory.mktemp("seeds")
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        simulated(folder / name, size="tiny", loans=60, months=40, seed=seed)
    return folder


def test_same_seed_same_bytes(of_two_seeds: Path) -> None:
    one, again, other = (
        {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        for folder in (of_two_seeds / name for name in ("one", "again", "other"))
    )
    assert one == again
    assert all(one[name] != other.get(name) for name in one if "historical_data_time" in name)


def test_processes_compute_the_same_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "CHUNK", 8)  # several tasks a month
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    for name, least in (("alone", 10_000), ("shared", 1)):
        monkeypatch.setattr(all_cores, "SHARED_LOAN_MONTHS", least)
        simulated(tmp_path / name, size="tiny", loans=40, months=30, seed=1)
    for name in ("part-00000.parquet", "curve-00000.parquet"):
        alone, shared = (tmp_path / who / "truth" / name for who in ("alone", "shared"))
        assert alone.read_bytes() == shared.read_bytes()


def test_the_truth_says_which_book_it_is_of(of_two_seeds: Path) -> None:
    one, again, other = (
        json.loads((of_two_seeds / name / "truth" / MANIFEST).read_text("utf-8"))
        for name in ("one", "again", "other")
    )
    assert one == again
    assert (one["settings"], one["seed"], other["seed"]) == (other["settings"], 1, 2)
    tapes = [path for path in (of_two_seeds / "one" / "tapes").iterdir() if "time" not in path.name]
    assert one["tapes"] == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tapes}
    assert not set(one["tapes"].values()) & set(other["tapes"].values())


def test_every_size_can_be_asked_for() -> None:
    assert SIZE.options["choices"] == tuple(SIZES)


def test_a_smaller_book_leaves_nothing_of_a_larger_one(tmp_path: Path) -> None:
    simulated(tmp_path, size="tiny", loans=60, months=40)
    simulated(tmp_path, size="tiny", loans=2, months=30)
    assert len(list((tmp_path / "tapes").glob("historical_data_time_*.txt"))) <= 2


@pytest.mark.parametrize(
    ("options", "found"), [({"size": "demos"}, "'demos'"), ({"size": "tiny", "months": 5}, "5 months")]
)
def test_bad_usage_names_what_was_found(tmp_path: Path, options: dict[str, object], found: str) -> None:
    with pytest.raises(InputError, match=found):
        simulated(tmp_path / "none", **options)
    assert not (tmp_path / "none").exists()
