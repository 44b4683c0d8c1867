from dataclasses import replace
from typing import Any

import pytest

from loanbook.comparison.entrants import Entrant, asked_for, entrants_of, shared_samples
from loanbook.errors import InputError
from loanbook.settings.choice import Choice
from loanbook.settings.train import TrainSettings
from tests.evaluation.rows import made_up

SETTINGS = TrainSettings(baselines=(Choice(name="logistic", rows=5000), Choice(name="constant")))


def test_without_names_the_settings_say_what_is_compared() -> None:
    found = asked_for(None, SETTINGS)
    assert found.architectures == ("deep_five_layer",)
    assert found.baselines == SETTINGS.baselines


def test_a_named_baseline_keeps_its_settings_and_an_architecture_takes_part_anyway() -> None:
    found = asked_for("cart, logistic", SETTINGS)
    assert found.architectures == ("deep_five_layer",)
    assert found.baselines == (Choice(name="cart"), Choice(name="logistic", rows=5000))


def test_all_are_the_files_and_the_modules_there_are() -> None:
    found = asked_for("all", SETTINGS)
    assert set(found.architectures) >= {"deep_five_layer", "mlp_64_32"}
    assert {choice.name for choice in found.baselines} >= {"matrix", "scorecard", "lightgbm"}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"(?s)mlp_64_32.*lightgbm.*did you mean 'lightgbm'"):
        asked_for("deep_five_layer,lightgmb", SETTINGS)


class Held:
    """Of an artefact what entrants ask for."""

    def __init__(self, snapshot_id: str, baselines: tuple[str, ...]) -> None:
        self.snapshot_id, self.baselines = snapshot_id, baselines


def test_baselines_take_part_once_with_the_seconds_of_the_training_that_fitted_them() -> None:
    held: Any = {name: Held("s", ("logistic", "cart", "matrix")) for name in ("a", "b", "c")}
    now = {"a": {}, "b": {"model": 9.0, "logistic": 2.0}, "c": {}}
    found = entrants_of(held, now, {"a": {"model": 7.0, "logistic": 3.0, "cart": 1.0}, "b": {}, "c": {}})
    assert [(one.name, one.predictor, one.seconds, one.before) for one in found] == [
        ("a", "model", 7.0, True), ("b", "model", 9.0, False), ("c", "model", None, True),
        ("logistic", "logistic", 2.0, False), ("cart", "cart", 1.0, True), ("matrix", "matrix", None, True),
    ]  # fmt: skip


def test_models_of_other_rows_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    part = made_up(200)
    other = replace(part, frame=part.frame.assign(label=1 - part.frame["label"]))
    parts = iter([[part, part], [part, other]])
    monkeypatch.setattr("loanbook.comparison.entrants.predicted_samples", lambda *_, **__: next(parts))
    entrants = [Entrant(name, Held("s", ()), "model") for name in ("a", "b")]  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a and b on different ones"):
        shared_samples(entrants, {"s": None}, 1000)  # type: ignore[dict-item]
