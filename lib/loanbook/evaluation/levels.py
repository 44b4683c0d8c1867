"""Whether the level of the PDs is right: in the mean, by slope, and in groups of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.basis import Basis
from loanbook.evaluation.sample import Sample
from loanbook.evaluation.segments import KINDS
from loanbook.models.clustered import NORMAL_95
from loanbook.models.level import Level, levels_of
from loanbook.models.together import MIN_BLOCKS, student

# Segments, and what they are in words; a year of months is no group beside the whole.
GROUPS = {
    "decile=": "groups by PD",
    **{f"{kind}=": plural for kind, (plural, *_) in KINDS.items() if kind != "year"},
}


def sample_levels(samples: Sequence[Sample], basis: Basis, min_defaults: int) -> dict[str, Level]:
    """Return the level of each predictor on the test rows, as training found it; empty where none is claimed.

    Args:
        samples: the test rows, then those of development, of the same predictors.
        basis: what may be said of them.
        min_defaults: defaulting borrowers of the test below which nothing is.
    """
    test, development = samples
    shared = [name for name in test.calibrated if name in development.calibrated]
    return levels_of(
        [part.frame for part in samples],
        {name: [part.calibrated[name] for part in samples] for name in shared},
        test.horizon_months,
        later=basis.held_out == "months",
        min_defaults=min_defaults,
        rank_only=basis.rank_only is not None,
        central_tendency=basis.central_tendency,
    )


@dataclass(frozen=True)
class Off:
    """A group of rows whose mean PD is outside the interval of its observed rate.

    Args:
        segment: name of the group.
        expected: its mean PD.
        observed: its default rate.
        distance: between the two, in half widths of the interval on that side.
    """

    segment: str
    expected: float
    observed: float
    distance: float

    def __str__(self) -> str:
        """Return both rates."""
        return f"{self.expected:.3%} for {self.observed:.2%}"


def level(rows: Sequence[Evaluation], event: str, predictor: str, blocks: int = 0) -> str:
    """Return what is to be said of a predictor's level; nothing where none is claimed.

    Args:
        rows: evaluations of the test sample.
        event: what the PD is of.
        predictor: whose level.
        blocks: of months that the intervals are clustered by; fewer than three: by borrower alone.
    """
    of_one = [row for row in rows if row.predictor == predictor]
    said = (_level(of_one, event), _slope(of_one), *(_level_by(of_one, prefix, blocks) for prefix in GROUPS))
    return " ".join(sentence for sentence in said if sentence)


def _level(rows: Sequence[Evaluation], event: str) -> str:
    whole = {row.metric: row for row in rows if row.segment == "all"}
    expected, observed = whole["expected_default_rate"].estimate, whole["observed_default_rate"]
    if not expected or observed.estimate is None:
        return ""
    rate, low, high = (value or 0.0 for value in (observed.estimate, observed.low, observed.high))
    side = "within" if low <= expected <= high else "above" if expected > high else "below"
    return (
        f"The mean PD was {expected:.2%}, and {rate:.2%} of the rows turned out bad ({event}): "
        f"{_than_expected(rate / expected - 1)}. "
        f"The mean PD is {side} the 95 % interval of what was observed, {low:.2%} to {high:.2%}."
    )


def _than_expected(change: float) -> str:
    """Return a change in words.

    >>> _than_expected(0.25), _than_expected(-0.004)
    ('25% more than expected', 'as many as expected')
    """
    said = f"{abs(change):.0%}"
    return (
        "as many as expected" if said == "0%" else f"{said} {'more' if change > 0 else 'fewer'} than expected"
    )


def _slope(rows: Sequence[Evaluation]) -> str:
    """Return that the PDs are spread out too far, or not far enough, beyond chance; else nothing."""
    for row in rows:
        if (row.segment, row.metric) == ("all", "calibration_slope") and row.estimate is not None:
            slope, low, high = (
                value if value is not None else 1.0 for value in (row.estimate, row.low, row.high)
            )
            what = "too extreme" if high < 1 else "too near to each other" if low > 1 else ""
            if what:
                return f"The odds are {what}: slope {slope:.2f} ({low:.2f} to {high:.2f}), where 1 is right."
    return ""


def groups_off(rows: Sequence[Evaluation], prefix: str) -> tuple[int, list[Off]]:
    """Return how many groups have rates, and those whose mean PD is outside their interval, worst first.

    Args:
        rows: evaluations of one predictor and sample.
        prefix: of the groups' segments.
    """
    found: dict[str, dict[str, Evaluation]] = {}
    for row in rows:
        if row.segment.startswith(prefix) and row.estimate is not None:
            found.setdefault(row.segment.removeprefix(prefix), {})[row.metric] = row
    rated = {name: item for name, item in found.items() if "expected_default_rate" in item}
    off = [_off(name, item) for name, item in rated.items()]
    return len(rated), sorted((one for one in off if one.distance > 1), key=lambda one: -one.distance)


def is_beyond_chance(count: int, off: Sequence[Off], blocks: int = 0) -> bool:
    """Return whether the worst of so many groups is off by more than chance, at 5 percent.

    By Bonferroni: its interval at 1 - 0.05 / count, about as many times as wide as the normal quantiles are;
    of intervals over a few blocks of months, as the quantiles of Student's t are, which grow faster.

    Args:
        count: of the groups.
        off: those that are off, the worst first.
        blocks: of months that the intervals are clustered by; fewer than three: by borrower alone.
    """
    if blocks >= MIN_BLOCKS:
        widened = student(blocks - 1, 0.05 / count) / student(blocks - 1)
    else:
        widened = NormalDist().inv_cdf(1 - 0.025 / count) / NORMAL_95
    return bool(off) and off[0].distance > widened


def _off(segment: str, rates: dict[str, Evaluation]) -> Off:
    expected, row = rates["expected_default_rate"].estimate or 0.0, rates["observed_default_rate"]
    observed = row.estimate or 0.0
    limit = (row.high if expected > observed else row.low) or 0.0
    half = abs(limit - observed)
    distance = abs(expected - observed) / half if half else 0.0 if expected == observed else float("inf")
    return Off(segment, expected, observed, distance)


def _level_by(rows: Sequence[Evaluation], prefix: str, blocks: int) -> str:
    """Return where the level is wrong though the mean may be right: in groups of rows.

    Nothing where no level is claimed, or where all rows are in one group.
    """
    count, off = groups_off(rows, prefix)
    if count < 2:
        return ""
    if not off:
        return f"The mean PD of each of the {count} {GROUPS[prefix]} is within its own interval."
    beyond = is_beyond_chance(count, off, blocks)
    chance = f"{'further than' if beyond else 'no further than'} chance takes the worst of {count}"
    return (
        f"Of the {count} {GROUPS[prefix]}, {len(off)} {_outside(len(off), prefix)}: {_sides(off)}. "
        f"The worst is {prefix.removesuffix('=')} {off[0].segment}, {chance}."
    )


def _outside(count: int, prefix: str) -> str:
    """Return that so many groups are off; the first kind says what that is, the others follow it."""
    if prefix != next(iter(GROUPS)):
        return "is off" if count == 1 else "are off"
    return (
        f"{'has' if count == 1 else 'have'} a mean PD outside the interval of what was observed, "
        "where chance would put one in 20"
    )


def _sides(off: Sequence[Off]) -> str:
    """Return which groups are too low and which too high, in the order of their names."""
    low = [one for one in off if one.expected < one.observed]
    high = [one for one in off if one.expected > one.observed]
    return "; ".join(
        f"{len(some)} too {word} ({', '.join(map(str, sorted(some, key=lambda one: one.segment)))})"
        for word, some in (("low", low), ("high", high))
        if some
    )
