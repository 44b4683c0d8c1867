"""What a comparison finds: figures of each entrant, differences of each pair, by segment too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from loanbook.evaluation.assess import Evaluation, assess, overall, rows_of
from loanbook.evaluation.basis import OF_DEFAULT, Basis, on
from loanbook.evaluation.distance import distance_rows
from loanbook.evaluation.levels import sample_levels
from loanbook.evaluation.measures import PAIRED, Measured, minus, nothing
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.segments import segments_of
from loanbook.evaluation.truth import TRUTH, Compared
from loanbook.models.best import best_of
from loanbook.models.clustered import Interval
from loanbook.models.level import Level
from loanbook.models.shortfalls import log_loss_difference, shortfalls_of
from loanbook.settings.evaluate import EvaluateSettings


@dataclass(frozen=True)
class Contest:
    """The entrants on the same rows.

    Args:
        samples: the test rows, then those of development; their predictors are the entrants.
        rows: evaluations of both, and the difference of each pair, the earlier one's loss less the later's.
        losses: of each entrant, calibrated, on all rows of development, which it was not fitted on.
        best: the entrant with the least of these that is not worse than the constant on the test rows; None
            where development holds too few defaults to say.
        shortfalls: what each falls short of on the test rows.
        levels: mean PD over observed rate of each on the test rows, where one is claimed.
        truth: the test rows that have a simulated book's truth, or None.
    """

    samples: Sequence[Sample]
    rows: Sequence[Evaluation]
    losses: Mapping[str, float]
    best: str | None
    shortfalls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    levels: Mapping[str, Level] = field(default_factory=dict)
    truth: Compared | None = None

    @property
    def names(self) -> list[str]:
        """Return the entrants."""
        return list(self.samples[0].calibrated)

    @property
    def sufficient(self) -> bool:
        """Return whether the test rows hold defaults enough to say anything."""
        return any(row.method.startswith(PAIRED) for row in self.of("test"))

    def status(self, name: str) -> str:
        """Return ``ok``, ``insufficient``, or the gravest of what an entrant falls short of."""
        return next(iter(self.shortfalls.get(name, ())), "ok") if self.sufficient else "insufficient"

    @property
    def against(self) -> str:
        """Return the entrant that others are first held against: the best, else the least test loss."""
        known = {name: loss for name in self.names if (loss := self.value(name, "log_loss")) is not None}
        return self.best or min(known, key=lambda name: known[name], default=self.names[0])

    @cached_property
    def _by_segment(self) -> Mapping[tuple[str, str], list[Evaluation]]:
        found: dict[tuple[str, str], list[Evaluation]] = {}
        for row in self.rows:
            found.setdefault((row.sample, row.segment), []).append(row)
        return found

    @cached_property
    def _by_figure(self) -> Mapping[tuple[str, str, str, str], Evaluation]:
        return {(row.predictor, row.metric, row.sample, row.segment): row for row in self.rows}

    def of(self, sample: str, segment: str = "all") -> list[Evaluation]:
        """Return the evaluations of a segment of a sample."""
        return self._by_segment.get((sample, segment), [])

    def value(self, name: str, metric: str, sample: str = "test", segment: str = "all") -> float | None:
        """Return an entrant's figure, None where there is none."""
        found = self._by_figure.get((name, metric, sample, segment))
        return found.estimate if found else None

    def difference(self, name: str, other: str, segment: str = "all") -> Interval | None:
        """Return an entrant's log loss less another's on the test rows, with its interval."""
        for one, less, sign in ((name, other, 1), (other, name, -1)):
            row = self._by_figure.get((one, minus(less), "test", segment))
            if row and row.estimate is not None:
                low, high = sorted((sign * float(row.low or 0), sign * float(row.high or 0)))
                return Interval(sign * row.estimate, low, high)
        return None


def contest_of(
    judged: Sequence[tuple[Sample, str]],
    losses: Mapping[str, float],
    settings: EvaluateSettings,
    basis: Basis = OF_DEFAULT,
    truth: Compared | None = None,
) -> Contest:
    """Return what samples, whose predictors are the entrants, say of them.

    Args:
        judged: the test rows, then those of development, each with the name of its fold.
        losses: calibrated log loss of each entrant on all rows of development, as its training found it.
        settings: how many defaults are needed to say anything.
        basis: what may be said.
        truth: the test rows with a simulated book's truth as a further predictor, or None.
    """
    samples = [part for part, _ in judged]
    rows = [row for part, fold in judged for row in assess(part, fold, settings)]
    for part, fold in judged:
        for segment, inside in (("all", part), *segments_of(part)):
            rows += _pairs(inside, segment, fold, settings)
    if truth is not None:
        fold = judged[0][1]
        rows += [*overall(truth.part, TRUTH, fold, settings), *distance_rows(truth.part, fold, settings)]
    levels = sample_levels(samples, basis, settings.min_defaults)
    found = Contest(samples, on(basis, rows), dict(losses), None, levels=levels, truth=truth)
    found = replace(found, shortfalls=_shortfalls(found))
    if samples[1].defaulting_borrowers < settings.min_defaults or not losses:
        return found
    best = best_of(losses, found.shortfalls, samples[1].role, sufficient=True).predictor
    return replace(found, best=best)


def _shortfalls(found: Contest) -> dict[str, list[str]]:
    against = {name: {other: found.difference(name, other) for other in found.names} for name in found.names}
    return {
        name: shortfalls_of(
            {other: one for other, one in each.items() if one is not None}, found.levels.get(name)
        )
        for name, each in against.items()
    }


def _pairs(part: Sample, segment: str, fold: str, settings: EvaluateSettings) -> Iterator[Evaluation]:
    """Yield the difference of each entrant from each later one; the opposite differs in sign."""
    enough = part.defaulting_borrowers >= settings.min_defaults
    names = list(part.calibrated)
    for place, name in enumerate(names):
        own, others = part.calibrated[name], {other: part.calibrated[other] for other in names[place + 1 :]}
        found: Measured = nothing(minus(other) for other in others)
        if enough:
            method = f"{PAIRED} {part.together.said}"
            found = {
                minus(other): (log_loss_difference(part.label, own, pds, part.weight, part.together), method)
                for other, pds in others.items()
            }
        yield from rows_of(part, name, fold, segment, found)
