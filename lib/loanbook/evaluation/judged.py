"""What an evaluation found, before it is written anywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.basis import Basis
from loanbook.evaluation.curves import Drawn
from loanbook.evaluation.distance import Distance, distance_of
from loanbook.evaluation.measures import minus
from loanbook.evaluation.origins import BackTest, origin_lines
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.truth import TRUTH, Compared
from loanbook.models.artefact.artefact import MODEL, Artefact
from loanbook.models.best import Best
from loanbook.models.clustered import Interval
from loanbook.models.level import Level
from loanbook.models.log_loss import log_loss
from loanbook.models.shortfalls import OFF_LEVEL, said_of, shortfalls_of
from loanbook.settings.evaluate import EvaluateSettings
from loanbook.training.snapshot.fold import Fold


@dataclass(frozen=True)
class Judged:
    """A model, the rows that it was judged on and every metric of them.

    Args:
        fold: that the model was trained on.
        samples: the test sample, then loans of development.
        rows: evaluations of both.
        compared: the test rows with a simulated book's truth, or None.
        basis: what was judged, and what may be said of it.
        best: which predictor scores with this model under the settings, and why.
        back_tests: the same model at earlier origins.
        pooled: evaluations of the test rows of all origins together.
        levels: of each predictor's PDs on the test rows, where one is claimed.
        drawn: the mean curves of a model that has curves.
    """

    artefact: Artefact
    fold: Fold
    samples: Sequence[Sample]
    rows: Sequence[Evaluation]
    compared: Compared | None
    basis: Basis
    best: Best
    back_tests: Sequence[BackTest] = ()
    pooled: Sequence[Evaluation] = ()
    levels: Mapping[str, Level] = field(default_factory=dict)
    drawn: Sequence[Drawn] = ()

    def sufficient(self, settings: EvaluateSettings) -> bool:
        """Return whether the test sample has enough defaulting borrowers to say anything."""
        return self.samples[0].defaulting_borrowers >= settings.min_defaults

    def status(self, settings: EvaluateSettings) -> str:
        """Return ``ok``, ``insufficient``, or the gravest of what the model falls short of."""
        return next(iter(self.shortfalls), "ok") if self.sufficient(settings) else "insufficient"

    @property
    def shortfalls(self) -> list[str]:
        """Return what the model falls short of on the test sample, the gravest first."""
        return shortfalls_of(self.differences, self.levels.get(MODEL))

    def shortfalls_in_words(self, predictor: str) -> list[str]:
        """Return what a predictor falls short of: the model here, a baseline as its training found it."""
        level = self.levels.get(predictor)
        if predictor == MODEL:
            return [said_of(one, self.differences, level) for one in self.shortfalls]
        found = self.artefact.shortfalls(predictor)
        return [f"off in level: {level}" if one == OFF_LEVEL else one for one in found]

    @property
    def differences(self) -> dict[str, Interval]:
        """Return the model's log loss less that of each baseline on the test sample, where one is claimed."""
        whole = {
            row.metric: row
            for row in self.rows
            if (row.predictor, row.sample, row.segment) == (MODEL, "test", "all")
        }
        found = {name: whole[minus(name)] for name in self.samples[0].baselines}
        return {
            name: Interval(row.estimate, row.low, row.high)
            for name, row in found.items()
            if row.estimate is not None and row.low is not None and row.high is not None
        }

    @property
    def reference(self) -> str:
        """Return the baseline that the page holds the model against: the one that scores the book, if any."""
        best = self.best.predictor
        return best if best != MODEL else self.samples[0].baselines[0]

    @property
    def origins(self) -> list[dict[str, Any]]:
        """Return what is said of each rolling origin and of all together; none where there is one."""
        return origin_lines((self.fold, self.rows), self.back_tests, self.pooled, self.reference)

    def whole(self, predictor: str) -> dict[str, float | None]:
        """Return a predictor's metrics over the whole test sample."""
        return {
            row.metric: row.estimate
            for row in self.rows
            if (row.predictor, row.sample, row.segment) == (predictor, "test", "all")
        }

    @property
    def distance(self) -> Distance | None:
        """Return how far each predictor is from the truth; None where there is none, or none is claimed."""
        if self.compared is None or self.basis.rank_only or self.losses_with_truth is None:
            return None
        return distance_of(self.compared.part)

    @property
    def losses_with_truth(self) -> dict[str, float] | None:
        """Return the log loss of model, baselines and truth on the same rows; None where none is claimed."""
        if self.compared is None or self.whole(TRUTH)["log_loss"] is None:
            return None
        part = self.compared.part
        return {name: log_loss(part.label, pds, part.weight) for name, pds in part.calibrated.items()}
