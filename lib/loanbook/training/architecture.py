"""What is to be trained, checked before any work is done: architecture, backbone, head, baselines."""

import logging
from dataclasses import replace

from loanbook.book.state_moves import StateMoves
from loanbook.book.tape_kind import TapeKind
from loanbook.errors import InputError
from loanbook.models.backbones import backbone
from loanbook.models.baselines import baseline, require_packages
from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.settings.book import DefaultDefinition
from loanbook.settings.choice import Choice
from loanbook.settings.model import ModelSettings, load_model_settings
from loanbook.settings.train import TrainSettings

logger = logging.getLogger(__name__)


def checked_architecture(name: str, settings: TrainSettings) -> ModelSettings:
    """Return an architecture, with the job's overrides.

    Args:
        name: a file of ``conf/models`` or a YAML file.
        settings: of the job, with the baselines that stand beside the network.

    Raises:
        InputError: the architecture, its backbone, its head or a baseline does not exist, or has no such
            setting; or a baseline's package is not installed.
    """
    found = load_model_settings(name, settings.batch_size, settings.epochs)
    backbone(found.backbone)
    if found.head is not None:
        head(found.head)
    for choice in (*settings.baselines, *filter(None, [found.teacher])):
        require_packages(choice)
    return found


def require_supported(settings: TrainSettings, model: ModelSettings, target: Head) -> None:
    """Refuse what cannot be of a head: baselines and a teacher that do not predict it, a weight of positives.

    Raises:
        InputError: names the first.
    """
    if model.emphasis.positive_weight != 1 and target.outputs != 1:
        raise InputError(
            required=f"a head with one unit for emphasis.positive_weight {model.emphasis.positive_weight:g}",
            found=f"{target.name}, which has several",
            do="take it out of the model's settings, or take a head of one event",
        )
    if model.teacher and not (target.may_be_taught and baseline(model.teacher)[0].supports(target)):
        raise InputError(
            required=f"a teacher that can predict {target.event}, and a head that takes its PDs",
            found=f"{model.teacher.name}, and the head {target.name}",
            do="take 'teacher' out of the model's file, or name another",
        )
    for choice in settings.baselines:
        if not baseline(choice)[0].supports(target.beside):
            raise InputError(
                required=f"baselines that can predict {target.event}",
                found=f"{choice.name}, which cannot",
                do="take it out of train.baselines",
            )


def target_head(name: str | Choice | None, tape: TapeKind, definition: DefaultDefinition) -> Head:
    """Return the head of that name; without one that of the tape's own outcome, where it declares one.

    Args:
        name: a module of ``loanbook.models.heads``, and its settings.
        tape: that it learns from.
        definition: of default.

    Raises:
        InputError: no such head, or the tape declares no outcome of its own.
    """
    chosen = head(name or ("default_12m" if tape.outcome is None else "tape_outcome"))
    if tape.outcome is not None:
        learns = "the model learns it" if chosen.is_of_tape else f"but the model is to learn {chosen.event}"
        logger.info("the tape has its own outcome: %s; %s (head %s)", tape.outcome, learns, chosen.name)
    elif chosen.is_of_tape:
        raise InputError(
            required=f"a tape that declares an outcome of its own, for the head {chosen.name}",
            found=f"none declared by the mapping of {tape.source}",
            do="add 'outcome' to the mapping and ingest again, or take another head",
        )
    found = chosen.of_tape(tape.outcome)
    return found if found.is_of_tape else replace(found, moves=StateMoves.of(tape.period_months, definition))
