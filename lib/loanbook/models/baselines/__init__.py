"""Baselines, a module each: models without a backbone, fitted beside every network on the same rows.

A module imports TensorFlow and scikit-learn inside its functions: settings are checked where there is none.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from loanbook.models.by_name import module_of, own_settings
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence
from loanbook.settings.choice import Choice
from loanbook.settings.section import Section


@dataclass(frozen=True)
class Fitted:
    """A fitted baseline.

    Args:
        network: an ONNX file from ``numeric`` and, if the spec has codes, ``codes`` to the head's
            probabilities, of shape (rows, outputs).
        facts: what was chosen in fitting, plain values that the artefact's metrics record.
    """

    network: bytes
    facts: dict[str, Any] = field(default_factory=dict)


class Baseline(Protocol):
    """What a module of this package offers."""

    Settings: type[Section]

    def supports(self, target: Head) -> bool:
        """Return whether the baseline can predict what a head does."""

    def fit(self, evidence: Evidence, target: Head, settings: Any) -> Fitted:
        """Return the baseline fitted on the role ``train``; choices between fits are made on ``tune``."""


def baseline(choice: Choice) -> tuple[Baseline, Section]:
    """Return the baseline module that is chosen, and its settings.

    Raises:
        InputError: there is no such baseline, or it has no such setting; the known ones are named.
    """
    module = module_of(__name__, __path__, choice.name, "a baseline", "train.baselines")
    return cast(Baseline, module), own_settings(module, choice, "baseline")
