from pathlib import Path

import pytest
from pydantic import ValidationError

from loanbook.errors import InputError
from loanbook.models import baselines
from loanbook.models.backbones import mlp, require_groups
from loanbook.models.heads import head
from loanbook.settings.choice import Choice
from loanbook.settings.model import Emphasis, load_model_settings
from loanbook.settings.train import TrainSettings
from loanbook.training.architecture import checked_architecture, require_supported
from tests.models import vector_head
from tests.models.specs import SPEC


def test_an_architecture_has_the_overrides_of_the_job() -> None:
    settings = TrainSettings(batch_size=64, epochs=3)
    found = checked_architecture("mlp_64_32", settings)
    assert (found.batch_size, found.epochs) == (64, 3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("backbone: {name: mpl, units: [8]}", "did you mean 'mlp'"),
        ("backbone: {name: mlp, units: [8], dropuot: 0.1}", "did you mean 'dropout'"),
        ("backbone: {name: mlp, units: []}", "units"),
        ("backbone: {name: mlp, units: [8]}\nhead: default_12", "did you mean 'default_12m'"),
        ("backbone: mlp", "backbone = 'mlp'"),
        ("backbone: {name: mlp, units: [8]}\nteacher: {name: lightgmb}", "did you mean 'lightgbm'"),
        ("backbone: {name: mlp, units: [8]}\nteacher: {name: lightgbm, tree: 3}", "did you mean 'trees'"),
        ("backbone: {name: mlp, units: [8]}\nteacher: {name: cart}\nteacher_weight: 2", "teacher_weight"),
        (
            "backbone: {name: mlp, units: [8]}\nteacher: {name: cart}\nemphasis: {focal: 2}",
            "emphasis is of labels",
        ),
        ("units: [8]", "missing key 'backbone'"),
    ],
)
def test_what_does_not_exist_is_refused_before_any_work(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=words) as error:
        checked_architecture(str(path), TrainSettings())
    assert error.value.exit_code == 2


def test_a_backbone_without_a_group_that_it_needs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    choice = Choice.model_validate({"name": "mlp", "units": [8]})
    alone = SPEC.model_copy(update={"numeric_sequences": (), "categorical_sequences": ()})
    require_groups(choice, alone)
    monkeypatch.setattr(mlp, "NEEDS", ("numeric", "sequences"), raising=False)
    require_groups(choice, SPEC)
    with pytest.raises(InputError, match="the group 'sequences', which the backbone mlp cannot do without"):
        require_groups(choice, alone)


def test_a_baseline_stands_once() -> None:
    with pytest.raises(ValidationError, match="each baseline may stand once"):
        TrainSettings(baselines=(Choice(name="logistic"), Choice(name="logistic")))


def test_a_baseline_that_does_not_exist_or_cannot_predict_the_event_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'logistic'"):
        checked_architecture("mlp_64_32", TrainSettings(baselines=(Choice(name="logistics"),)))
    plain = load_model_settings("mlp_64_32")
    with pytest.raises(InputError, match="logistic, which cannot"):
        require_supported(TrainSettings(), plain, vector_head.HEAD)
    weighing = plain.model_copy(update={"emphasis": Emphasis(positive_weight=2.0)})
    with pytest.raises(InputError, match="one unit for emphasis.positive_weight 2"):
        require_supported(TrainSettings(), weighing, vector_head.HEAD)


def test_a_head_of_several_outcomes_is_not_taught() -> None:
    alone, plain = TrainSettings(baselines=(Choice(name="constant"),)), load_model_settings("mlp_64_32")
    taught = plain.model_copy(update={"teacher": Choice(name="constant")})
    require_supported(alone, plain, vector_head.HEAD)
    require_supported(alone, taught, head("default_12m"))
    with pytest.raises(InputError, match="constant, and the head next_move"):
        require_supported(alone, taught, vector_head.HEAD)


def test_a_baseline_without_its_package_is_refused_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baselines, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"(?s)package lightgbm.*extra 'train' or 'train-gpu'.*train\.baselines"
    ):
        checked_architecture("mlp_64_32", TrainSettings())
    checked_architecture("mlp_64_32", TrainSettings(baselines=(Choice(name="constant"),)))
