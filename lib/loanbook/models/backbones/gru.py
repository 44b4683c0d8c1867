"""A gated recurrent unit over the months of the history, then dense layers over it and all other inputs.

Cho et al. (2014), *Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
Translation*.
"""

from typing import TYPE_CHECKING, Any

from loanbook.models.backbones import _history

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups

NEEDS = ("sequences",)


class Settings(_history.Settings):
    """Of a GRU and the layers after it."""


def build(groups: "Groups", settings: Settings, seed: int) -> Any:
    """Return the last hidden layer."""
    from loanbook.models.backbones._history_layers import Recurrent

    states = Recurrent("GRU", settings.width, seed + 3000, name="gru")(_history.months(groups))
    return _history.over_history(groups, states, settings, seed)
