from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from loanbook.comparison.entrants import Entrant, asked_for, entrants_of
from loanbook.comparison.origins import Origin, judged_samples
from loanbook.errors import InputError
from loanbook.evaluation.segments import segments_of
from loanbook.settings.choice import Choice
from loanbook.settings.train import TrainSettings
from tests.evaluation.rows import made_up

SETTINGS = TrainSettings(baselines=(Choice(name="logistic", rows=5000), Choice(name="constant")))


def test_without_names_the_settings_say_what_is_compared() -> None:
    found = asked_for(None, SETTINGS)
    assert found.architectures == (SETTINGS.model,)
    assert found.baselines == SETTINGS.baselines


def test_a_named_baseline_keeps_its_settings_and_an_architecture_takes_part_anyway() -> None:
    found = asked_for("cart, logistic", SETTINGS)
    assert found.architectures == (SETTINGS.model,)
    assert found.baselines == (Choice(name="cart"), Choice(name="logistic", rows=5000))


def test_all_are_the_files_and_the_modules_there_are() -> None:
    found = asked_for("all", SETTINGS)
    assert set(found.architectures) >= {"deep_five_layer", "mlp_64_32"}
    assert not {"transition", "default_24m"} & set(found.architectures)  # they may be judged by other labels
    assert asked_for("tabm,transition", SETTINGS).architectures == ("tabm", "transition")
    assert {choice.name for choice in found.baselines} >= {"matrix", "scorecard", "lightgbm"}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"(?s)mlp_64_32.*lightgbm.*did you mean 'lightgbm'"):
        asked_for("deep_five_layer,lightgmb", SETTINGS)


class Held:
    """Of an artefact what entrants ask for."""

    def __init__(self, snapshot_id: str, baselines: tuple[str, ...]) -> None:
        self.snapshot_id, self.baselines = snapshot_id, baselines


def test_baselines_take_part_once_with_the_seconds_of_the_training_that_fitted_them() -> None:
    held: Any = {name: Held("s", ("logistic", "cart", "matrix", "constant")) for name in ("a", "b", "c")}
    now = {"a": {}, "b": {"model": 9.0, "logistic": 2.0}, "c": {}}
    found = entrants_of(
        held,
        ("logistic", "cart", "matrix"),
        now,
        {"a": {"model": 7.0, "logistic": 3.0, "cart": 1.0}, "b": {}, "c": {}},
    )
    assert [(one.name, one.predictor, one.seconds, one.before) for one in found] == [
        ("a", "model", 7.0, True), ("b", "model", 9.0, False), ("c", "model", None, True),
        ("logistic", "logistic", 2.0, False), ("cart", "cart", 1.0, True), ("matrix", "matrix", None, True),
    ]  # fmt: skip


def entrants_on(snapshot_id: str, *names: str) -> list[Entrant]:
    return [Entrant(name, Held(snapshot_id, ()), "model") for name in names]  # type: ignore[arg-type]


def test_models_of_other_rows_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    part = made_up(200)
    parts = iter([part, replace(part, frame=part.frame.assign(label=1 - part.frame["label"]))])
    monkeypatch.setattr("loanbook.comparison.origins.predicted_sample", lambda *_, **__: next(parts))
    origin = Origin(entrants_on("s", "a", "b"), {"s": None})  # type: ignore[dict-item]
    with pytest.raises(InputError, match="a and b on different ones"):
        origin.sample("test")


def test_test_rows_of_all_origins_are_judged_together(monkeypatch: pytest.MonkeyPatch) -> None:
    newest, before = made_up(200), made_up(100, seed=5)
    found = {("fold0", "test"): newest, ("fold0", "out_of_fold"): newest, ("fold1", "test"): before}
    monkeypatch.setattr(
        "loanbook.comparison.origins.predicted_sample",
        lambda _artefact, snapshot, name, _limit, only: found[snapshot.fold.name, name],
    )
    folds = {name: SimpleNamespace(name=name, checked_on="out_of_fold") for name in ("fold0", "fold1")}
    origins: Any = [
        Origin(entrants_on(name, "a", "b"), {name: SimpleNamespace(fold=fold)})  # type: ignore[dict-item]
        for name, fold in folds.items()
    ]
    (test, fold), (development, of) = judged_samples(origins, 1000)
    assert (fold, of) == ("all", "fold0")
    assert list(test.calibrated) == ["a", "b"]
    assert len(test.label) == len(newest.label) + len(before.label)
    assert test.calibrated["b"].tolist() == [*newest.calibrated["model"], *before.calibrated["model"]]
    assert {name: len(part.label) for name, part in segments_of(test) if "origin" in name} == {
        "origin=fold0": len(newest.label), "origin=fold1": len(before.label),
    }  # fmt: skip
    assert not [name for name, _ in segments_of(development) if "origin" in name]
    (alone, named), _ = judged_samples(origins[:1], 1000)
    assert named == "fold0"
    assert not [name for name, _ in segments_of(alone) if "origin" in name]
