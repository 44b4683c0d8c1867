"""Backbones, a module each: a backbone makes hidden units of the prepared inputs.

A module imports TensorFlow inside its functions: settings are checked where there is none.
"""

from typing import TYPE_CHECKING, Any, Protocol, cast

from loanbook.models.by_name import module_of, own_settings
from loanbook.settings.choice import Choice
from loanbook.settings.section import Section

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups


class Backbone(Protocol):
    """What a module of this package offers.

    ``Settings`` are its own, and what a model's file may say beside the backbone's name.
    """

    Settings: type[Section]

    def build(self, groups: "Groups", settings: Any, seed: int) -> Any:
        """Return the tensor that a head takes, float32 of shape (rows, units).

        Args:
            groups: the prepared inputs; it takes those that it can use.
            settings: an instance of its ``Settings``.
            seed: of its first weights and of its dropout.

        Raises:
            InputError: it cannot do without a group that the spec does not have.
        """


def backbone(choice: Choice) -> tuple[Backbone, Section]:
    """Return the backbone module that is chosen, and its settings.

    Raises:
        InputError: there is no such backbone, or it has no such setting; the known ones are named.
    """
    module = module_of(__name__, __path__, choice.name, "a backbone", "backbone.name")
    return cast(Backbone, module), own_settings(module, choice, "backbone")
