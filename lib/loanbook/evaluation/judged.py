"""What an evaluation found, before it is written anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.basis import Basis
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.truth import TRUTH, Compared
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.log_loss import log_loss
from loanbook.settings.evaluate import EvaluateSettings


@dataclass(frozen=True)
class Judged:
    """A model, the rows that it was judged on and every metric of them.

    Args:
        fold: that the model was trained on.
        samples: the test sample, then that of the calibration check.
        rows: evaluations of both.
        compared: the test rows with a simulated book's truth, or None.
        basis: what was judged, and what may be said of it.
    """

    artefact: Artefact
    fold: str
    samples: Sequence[Sample]
    rows: Sequence[Evaluation]
    compared: Compared | None
    basis: Basis

    def sufficient(self, settings: EvaluateSettings) -> bool:
        """Return whether the test sample has enough defaulting loans to say anything."""
        return self.samples[0].defaulting_loans >= settings.min_defaults

    @property
    def reference(self) -> str:
        """Return the baseline that the report holds the model against."""
        return self.samples[0].baselines[0]

    def whole(self, predictor: str) -> dict[str, float | None]:
        """Return a predictor's metrics over the whole test sample."""
        return {
            row.metric: row.estimate
            for row in self.rows
            if (row.predictor, row.sample, row.segment) == (predictor, "test", "all")
        }

    @property
    def losses_with_truth(self) -> dict[str, float] | None:
        """Return the log loss of model, baselines and truth on the same rows; None where none is claimed."""
        if self.compared is None or self.whole(TRUTH)["log_loss"] is None:
            return None
        part = self.compared.part
        return {name: log_loss(part.label, pds, part.weight) for name, pds in part.calibrated.items()}
