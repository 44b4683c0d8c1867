import pytest

from loanbook.errors import InputError
from loanbook.models.backbones import backbone
from loanbook.models.heads import head
from loanbook.settings.model import load_model_settings


def test_the_two_architectures() -> None:
    assert load_model_settings("mlp_64_32").units == (64, 32)
    deep = load_model_settings("deep_five_layer", batch_size=32, epochs=1)
    assert deep.units == (200, 140, 140, 140, 140)
    assert (deep.schedule.kind, deep.schedule.decay_steps) == ("inverse_time", 800)
    assert (deep.batch_size, deep.epochs) == (32, 1)


def test_unknown_names_say_which_exist() -> None:
    with pytest.raises(InputError, match="did you mean 'mlp_64_32'"):
        load_model_settings("mlp_64_3")
    with pytest.raises(InputError, match="did you mean 'mlp'"):
        backbone("mlpp")
    with pytest.raises(InputError, match="did you mean 'default_12m'"):
        head("default_12")


def test_heads_name_their_label() -> None:
    assert head("default_12m").label == "default_12m"
    assert head("default_12m").horizon_months == 12
