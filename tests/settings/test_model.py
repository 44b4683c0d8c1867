import subprocess
import sys

import pytest

from loanbook.errors import InputError
from loanbook.models.backbones import backbone
from loanbook.models.baselines import baseline
from loanbook.models.heads import head
from loanbook.settings.choice import Choice
from loanbook.settings.model import load_model_settings


def test_the_two_architectures() -> None:
    assert load_model_settings("mlp_64_32").backbone.own["units"] == [64, 32]
    deep = load_model_settings("deep_five_layer", batch_size=32, epochs=1)
    _, settings = backbone(deep.backbone)
    assert settings.model_dump() == {
        "units": (200, 140, 140, 140, 140),
        "activation": "relu",
        "dropout": 0.1,
        "max_one_hot": 16,
        "normalisation": None,
        "residual": False,
        "embedding": None,
    }
    assert (deep.weight_decay, deep.clip_norm, deep.schedule.rise_epochs) == (0.0, None, 0.0)
    assert (deep.schedule.kind, deep.schedule.decay_steps) == ("inverse_time", 800)
    assert (deep.batch_size, deep.epochs) == (32, 1)


def test_unknown_names_say_which_exist() -> None:
    with pytest.raises(InputError, match="did you mean 'mlp_64_32'"):
        load_model_settings("mlp_64_3")
    with pytest.raises(InputError, match="did you mean 'mlp'"):
        backbone(Choice(name="mlpp"))
    with pytest.raises(InputError, match="a baseline: one of .*logistic"):
        baseline(Choice(name="linear"))
    with pytest.raises(InputError, match="did you mean 'default_12m'"):
        head("default_12")


def test_heads_name_their_label() -> None:
    assert head("default_12m").label == "default_12m"
    assert head("default_12m").horizon_months == 12


def test_a_setting_that_the_backbone_does_not_have_is_named() -> None:
    with pytest.raises(InputError, match=r"unknown key 'unit' \(did you mean 'units'\?\)"):
        backbone(Choice.model_validate({"name": "mlp", "units": [8], "unit": 3}))
    with pytest.raises(InputError, match="settings of the backbone 'mlp'"):
        backbone(Choice(name="mlp"))
    with pytest.raises(InputError, match="settings of the baseline 'logistic'"):
        baseline(Choice.model_validate({"name": "logistic", "strengths": []}))


def test_choices_are_checked_without_tensorflow() -> None:
    code = (
        "import sys, loanbook.training.job;"
        "from loanbook.models.backbones import backbone; from loanbook.models.baselines import baseline;"
        "from loanbook.settings.choice import Choice;"
        "backbone(Choice.model_validate({'name': 'mlp', 'units': [8]})); baseline(Choice(name='logistic'));"
        "assert not {'tensorflow', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
