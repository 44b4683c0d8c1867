"""Embeddings of numbers, a module each: a number becomes several, which a backbone reads in its place.

A module imports TensorFlow inside its functions: settings are checked where there is none.
"""

from typing import TYPE_CHECKING, Annotated, Any, Protocol, cast

from pydantic import AfterValidator

from loanbook.errors import InputError
from loanbook.models.by_name import module_of, own_settings
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.choice import Choice
from loanbook.settings.section import Section

if TYPE_CHECKING:
    from loanbook.models.inputs.groups import Groups


class Embedding(Protocol):
    """What a module of this package offers.

    ``Settings`` are its own. ``NEEDS_EDGES``, where it is true, says that it cannot do without the bins of
    the training rows.
    """

    Settings: type[Section]

    def build(self, groups: "Groups", settings: Any, seed: int) -> Any:
        """Return float32 of shape (rows, numbers, size), of ``groups.numeric``.

        Args:
            groups: the prepared inputs.
            settings: an instance of its ``Settings``.
            seed: of its first weights.
        """


def embedding(choice: Choice) -> tuple[Embedding, Section]:
    """Return the module that is chosen, and its settings.

    Raises:
        InputError: there is no such embedding, or it has no such setting; the known ones are named.
    """
    module = module_of(__name__, __path__, choice.name, "an embedding", "embedding.name")
    return cast(Embedding, module), own_settings(module, choice, "embedding")


def _known(choice: Choice) -> Choice:
    embedding(choice)
    return choice


# In the settings of a backbone: an embedding that does not exist is refused with them.
EmbeddingChoice = Annotated[Choice, AfterValidator(_known)]


def embedded(groups: "Groups", choice: Choice | None, seed: int) -> Any | None:
    """Return the numbers embedded, (rows, numbers, size); None where none is chosen."""
    if choice is None:
        return None
    module, settings = embedding(choice)
    return module.build(groups, settings, seed)


def require_edges(choice: Choice, spec: InputSpec) -> None:
    """Refuse a spec without bins where an embedding cannot do without them.

    Raises:
        InputError: names an input that lacks them.
    """
    module, _ = embedding(choice)
    lacking = [item.name for item in spec.numeric if not item.edges]
    if lacking and getattr(module, "NEEDS_EDGES", False):
        raise InputError(
            required=f"bins of every number, for the embedding {choice.name}",
            found=f"none of {lacking[0]}: an earlier version made the training snapshot",
            do="remove the snapshot's folder and train again",
        )
