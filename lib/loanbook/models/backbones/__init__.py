"""Backbones, a module each: a backbone makes hidden units of the prepared inputs.

A module imports TensorFlow inside its functions: settings are checked where there is none.
"""

from typing import TYPE_CHECKING, Any, Protocol, cast

from loanbook.errors import InputError
from loanbook.models.by_name import module_of, own_settings
from loanbook.models.embeddings import require_edges
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.pruning import Keep
from loanbook.settings.choice import Choice
from loanbook.settings.section import Section

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups


class Backbone(Protocol):
    """What a module of this package offers.

    ``Settings`` are its own, and what a model's file may say beside the backbone's name. ``NEEDS``, where
    there is one, names the groups of a spec that it cannot do without, such as ``sequences``. Settings of one
    with several submodels may have ``submodels``, how many, and ``keep`` (see ``pruning.py``): weights that a
    submodel has of its own then have the submodels as their first axis.
    """

    Settings: type[Section]

    def build(self, groups: "Groups", settings: Any, seed: int) -> Any:
        """Return the tensor that a head takes, float32 of shape (rows, units).

        One of shape (rows, submodels, units) is of several networks, each of which gets the head's last
        layer and its loss, and of whose probabilities the mean is used.

        Args:
            groups: the prepared inputs; it takes those that it can use.
            settings: an instance of its ``Settings``.
            seed: of its first weights and of its dropout.
        """


def backbone(choice: Choice) -> tuple[Backbone, Section]:
    """Return the backbone module that is chosen, and its settings.

    Raises:
        InputError: there is no such backbone, or it has no such setting; the known ones are named.
    """
    module = module_of(__name__, __path__, choice.name, "a backbone", "backbone.name")
    return cast(Backbone, module), own_settings(module, choice, "backbone")


def kept_submodels(choice: Choice) -> Keep | None:
    """Return how many submodels a backbone's settings keep after training; None: all, or there are none."""
    keep: Keep | None = getattr(backbone(choice)[1], "keep", None)
    return keep


def with_submodels(choice: Choice, submodels: int) -> Choice:
    """Return a backbone of other submodels, all of which are kept.

    >>> with_submodels(Choice.model_validate({"name": "tabm", "keep": "best"}), 3).own
    {'keep': None, 'submodels': 3}
    """
    return Choice.model_validate({"name": choice.name, **choice.own, "keep": None, "submodels": submodels})


def needed_groups(choice: Choice) -> tuple[str, ...]:
    """Return the groups of a spec that a backbone cannot do without."""
    return tuple(getattr(backbone(choice)[0], "NEEDS", ()))


def require_groups(choice: Choice, spec: InputSpec) -> None:
    """Refuse a spec that lacks a group, or bins of its numbers, which a backbone cannot do without.

    Raises:
        InputError: names the first such group, or a number without bins.
    """
    _, settings = backbone(choice)
    for group in needed_groups(choice):
        if not getattr(spec, group):
            raise InputError(
                required=f"inputs of the group {group!r}, which the backbone {choice.name} cannot do without",
                found="none among the inputs that the training rows support",
                do="name some in inputs_added of the model's file or in train.inputs_added (list-features "
                "tells the kind of each); of a tape that has none, as one of applications has no history, "
                "train a model with another backbone",
            )
    numbers: Choice | None = getattr(settings, "embedding", None)
    if numbers is not None:
        require_edges(numbers, spec)
