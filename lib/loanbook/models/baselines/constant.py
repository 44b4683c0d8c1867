"""The rate of the training rows for every row: what a model must beat to be worth anything.

A PD that does not vary has a level to calibrate, and no slope.
"""

import numpy as np

from loanbook.models.baselines import Fitted
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence
from loanbook.settings.section import Section


class Settings(Section):
    """Of a constant: none."""


def supports(target: Head) -> bool:
    """Return True: every head has a rate."""
    return True


def fit(evidence: Evidence, target: Head, settings: Settings) -> Fitted:
    """Return the weighted rate of the label in the training rows as a network without weights."""
    from loanbook.models.artefact.export import onnx_bytes
    from loanbook.models.network import constant

    train = evidence.rows("train")
    rate = float(np.average(train.label, weights=train.weight))
    return Fitted(onnx_bytes(constant(evidence.spec, target, rate).probabilities), {"rate": rate})
