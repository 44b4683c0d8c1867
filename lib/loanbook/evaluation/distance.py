"""How far a predictor's PDs are from a simulated book's truth, whatever the chance in the labels."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from loanbook.evaluation.assess import Evaluation, rows_of
from loanbook.evaluation.measures import Measured, nothing
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.segments import segments_of
from loanbook.evaluation.truth import TRUTH
from loanbook.models.clustered import Floats
from loanbook.models.log_loss import log_losses
from loanbook.settings.evaluate import EvaluateSettings

MATRIX = "matrix"  # module of loanbook.models.baselines
TO_TRUTH = KL, GAP, LEVEL = "kl_to_truth", "gap_closed", "mean_to_truth"


def kl_divergence(truth: Floats, pd: Floats, weight: Floats) -> float:
    """Return the weighted mean of KL(truth || pd) of two Bernoulli laws (Kullback, Leibler 1951).

    It is the cross-entropy less the entropy: the log loss that a PD adds to the truth's, in expectation over
    the labels. PDs are kept from 0 and 1 as those of a log loss are.

    >>> round(kl_divergence(np.array([0.5]), np.array([0.25]), np.ones(1)), 6)  # ln 2 - ln(3) / 2
    0.143841
    """
    return float(np.average(log_losses(truth, pd) - log_losses(truth, truth), weights=weight))


@dataclass(frozen=True)
class Distance:
    """How far each predictor is from the truth, on the same rows.

    Args:
        kl: mean divergence of each predictor but the truth.
        against: the baseline whose distance counts as the whole gap, the counted matrix; None where it was
            not fitted.
    """

    kl: Mapping[str, float]
    against: str | None

    def closed(self, predictor: str) -> float | None:
        """Return 1 - KL(predictor) / KL(baseline): 1 is the truth, 0 the baseline, below 0 it is worse."""
        whole = self.kl[self.against] if self.against else 0.0
        return 1 - self.kl[predictor] / whole if whole > 0 else None

    @property
    def method(self) -> str:
        """Return how the closed gap was computed."""
        if self.against is None:
            return f"the baseline {MATRIX} was not fitted"
        return f"1 - KL(predictor) / KL({self.against})"


def distance_of(part: Sample) -> Distance:
    """Return the distances of the predictors of a sample whose every row has a truth."""
    truth = part.calibrated[TRUTH]
    kl = {
        name: kl_divergence(truth, pds, part.weight) for name, pds in part.calibrated.items() if name != TRUTH
    }
    return Distance(kl, MATRIX if MATRIX in kl else None)


def distance_rows(part: Sample, fold: str, settings: EvaluateSettings) -> Iterator[Evaluation]:
    """Return the distances as rows of ``evaluations``, counted on the rows that have a truth.

    They are given by segment too, of few defaults as well: there is no chance of labels in them.
    """
    if part.defaulting_borrowers < settings.min_defaults:
        for name in _predictors(part):
            yield from rows_of(part, name, fold, "all", nothing((KL, GAP, LEVEL)))
        return
    for segment, inside in (("all", part), *segments_of(part)):
        yield from _distances(inside, segment, fold)


def _distances(part: Sample, segment: str, fold: str) -> Iterator[Evaluation]:
    distance = distance_of(part)
    true = float(np.average(part.calibrated[TRUTH], weights=part.weight))
    for name in _predictors(part):
        mean = float(np.average(part.calibrated[name], weights=part.weight))
        measured: Measured = {
            KL: (distance.kl[name], "weighted mean of KL(truth || pd)"),
            GAP: (distance.closed(name), distance.method),
            LEVEL: (mean / true if true else None, "weighted mean pd / weighted mean of the truth"),
        }
        yield from rows_of(part, name, fold, segment, measured)


def _predictors(part: Sample) -> list[str]:
    return [name for name in part.calibrated if name != TRUTH]
