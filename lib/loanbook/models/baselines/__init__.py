"""Baselines, a module each: models without a backbone, fitted beside every network on the same rows.

A module imports TensorFlow and scikit-learn inside its functions: settings are checked where there is none.
"""

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Protocol, cast

from loanbook.errors import InputError
from loanbook.models.by_name import known_modules, module_of, own_settings
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence
from loanbook.settings.choice import Choice
from loanbook.settings.section import Section

BY_TREE = "tune_log_loss_by_tree"  # of the facts of boosted trees: with one, with two, and so on


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
    """What a module of this package offers; ``PACKAGES``, where it has them, are what it is fitted with."""

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


def known_baselines() -> list[str]:
    """Return the names of the baselines.

    >>> "logistic" in known_baselines()
    True
    """
    return known_modules(__path__)


def require_packages(choice: Choice) -> None:
    """Check that what a baseline is fitted with is installed.

    Raises:
        InputError: names the package, and the extra that brings it.
    """
    needed = getattr(baseline(choice)[0], "PACKAGES", ())
    if lacking := [name for name in needed if find_spec(name) is None]:
        raise InputError(
            required=f"the Python package {lacking[0]}, for the baseline {choice.name}",
            found="none",
            do="install loanbook's extra 'train' or 'train-gpu' with the constraints file, or take the "
            "baseline out of train.baselines",
        )
