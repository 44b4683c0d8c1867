"""The scorecard: points for the bin of each input, by weights of evidence and a logistic regression.

Siddiqi 2006, *Credit Risk Scorecards*; the bins are those of optbinning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from loanbook.errors import InputError
from loanbook.models.baselines import Fitted
from loanbook.models.baselines._characteristics import (
    Binning,
    Characteristic,
    Trend,
    characteristic,
    input_name,
)
from loanbook.models.baselines.logistic import Coefficients, fit_logistic
from loanbook.models.binary_head import BinaryHead
from loanbook.models.calibration import logit
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence, Rows
from loanbook.models.steps import step_tree
from loanbook.models.trees import LEAF, Matrix, Tree, TreeColumns, leaf_rows, trees_as_onnx
from loanbook.settings.section import Section, nearest

Floats = npt.NDArray[np.float64]

PACKAGES = ("optbinning",)


class Settings(Section):
    """Of a scorecard."""

    rows: int = Field(1_000_000, ge=1000, description="most training rows")
    binning_rows: int = Field(200_000, ge=1000, description="most of them that edges of bins are found on")
    bins: int = Field(
        8, ge=2, le=50, description="most bins of an input; missing values have one beside them"
    )
    smallest_bin: float = Field(0.01, gt=0, le=0.5, description="least share of the rows in a bin")
    rows_of_bin: int = Field(50, ge=1, description="fewest training rows of a bin")
    trend: Trend = Field(
        "auto",
        description="how default rates may go over an input's bins; auto: by the rows, a peak or a valley "
        "included; monotonic: up or down, by the rows",
    )
    trends: Mapping[str, Trend] = Field({}, description="the same of single inputs, by name")
    prior_rows: float = Field(20.0, gt=0, description="rows of the mean rate that the rate of a bin leans on")
    inputs: int = Field(20, ge=1, description="most inputs kept, those of the highest information value")
    least_iv: float = Field(0.02, ge=0, description="least information value of an input")
    correlation: float = Field(
        0.9, gt=0, le=1, description="of weights of evidence, above which the weaker input is left out"
    )
    strengths: tuple[float, ...] = Field(
        (10.0, 0.1, 0.001), min_length=1, description="inverse L2 penalties tried, chosen on tune"
    )
    base_points: float = Field(600.0, description="points at the base odds")
    base_odds: float = Field(50.0, gt=0, description="goods for each bad at the base points")
    pdo: float = Field(20.0, gt=0, description="points that double the odds")


def supports(target: Head) -> bool:
    """Return whether the head is of an event that comes about or does not."""
    return isinstance(target, BinaryHead)


def fit(evidence: Evidence, target: Head, settings: Settings) -> Fitted:
    """Return the scorecard of the training rows; its penalty is chosen on ``tune``.

    Raises:
        InputError: a trend is of no input.
    """
    train, tune = evidence.rows("train", settings.rows), evidence.rows("tune")
    columns = TreeColumns.fitted(evidence.spec, train).with_missing_codes()
    design = columns.matrix(train)
    kept, left_out = chosen(binned(columns, design, train, settings), design, train.weight, settings)
    kept, fitted, wrong = regression(kept, (design, train), (columns.matrix(tune), tune), settings)
    left_out |= wrong
    card = Scorecard(tuple(kept), fitted, Scale(settings.base_points, settings.base_odds, settings.pdo))
    return Fitted(trees_as_onnx(columns, card.trees(), "logit"), {**card.facts(), "left_out": left_out})


@dataclass(frozen=True)
class Scale:
    """How log odds become points: score = offset + factor * log(odds of a good) (Siddiqi 2006, ch. 6)."""

    base_points: float
    base_odds: float
    pdo: float

    @property
    def factor(self) -> float:
        """Return the points of one unit of log odds.

        >>> scale = Scale(base_points=600, base_odds=50, pdo=20)
        >>> [round(scale.offset + scale.factor * float(np.log(odds)), 6) for odds in (50, 100)]
        [600.0, 620.0]
        """
        return float(self.pdo / np.log(2))

    @property
    def offset(self) -> float:
        """Return the points at odds of 1."""
        return float(self.base_points - self.factor * np.log(self.base_odds))


@dataclass(frozen=True)
class Scorecard:
    """Inputs in bins, with the regression of the default's logit on their weights of evidence."""

    inputs: tuple[Characteristic, ...]
    fitted: Coefficients
    scale: Scale

    def trees(self) -> list[Tree]:
        """Return the logit of a PD as a sum of trees: the intercept, then a step function of each input."""
        intercept = Tree()
        intercept.add(LEAF, 0.0, False, self.fitted.bias)
        steps = [
            step_tree(item.column, item.edges, (weight * item.woe).tolist())
            for item, weight in zip(self.inputs, self.fitted.weights, strict=True)
        ]
        return [intercept, *steps]

    def facts(self) -> dict[str, Any]:
        """Return the scorecard as plain values.

        A loan's score is the sum of the points of its bins, which hold equal parts of the intercept:
        offset - factor * logit(PD). Points are not rounded.
        """
        return {
            "strength": self.fitted.strength,
            "intercept": self.fitted.bias,
            "offset": self.scale.offset,
            "factor": self.scale.factor,
            "information_value": {item.name: item.information_value for item in self.inputs},
            "points": [
                {
                    "input": item.name,
                    "bin": label,
                    "share": float(share),
                    "woe": float(woe),
                    "coefficient": float(weight),
                    "points": self._points(float(weight * woe)),
                }
                for item, weight in zip(self.inputs, self.fitted.weights, strict=True)
                for label, share, woe in zip(item.labels, item.shares, item.woe, strict=True)
            ],
        }

    def _points(self, part: float) -> float:
        base = self.scale.offset - self.scale.factor * self.fitted.bias
        return base / len(self.inputs) - self.scale.factor * part


def binned(columns: TreeColumns, design: Matrix, rows: Rows, settings: Settings) -> list[Characteristic]:
    """Return every column in bins.

    Raises:
        InputError: a trend is of no input.
    """
    names = [input_name(columns, column) for column in range(design.shape[1])]
    for name in settings.trends:
        if name not in names:
            raise InputError(
                required="inputs of the model in the scorecard's trends",
                found=repr(name) + nearest(name, names, or_all=False),
                do="take it out, or name an input",
            )
    smallest = max(settings.smallest_bin, leaf_rows(settings.rows_of_bin, len(rows)) / len(rows))
    how = Binning(settings.bins, min(0.5, smallest), settings.binning_rows, settings.prior_rows)
    return [
        characteristic(
            columns, column, design[:, column], rows, settings.trends.get(name, settings.trend), how
        )
        for column, name in enumerate(names)
    ]


def chosen(
    found: Sequence[Characteristic], design: Matrix, weight: Matrix, settings: Settings
) -> tuple[list[Characteristic], dict[str, str]]:
    """Return the inputs that enter the regression, the best first, and why each other one does not."""
    kept: list[tuple[Characteristic, Floats]] = []
    left_out: dict[str, str] = {}
    for item in sorted(found, key=lambda each: -each.information_value):
        if item.information_value < settings.least_iv:
            left_out[item.name] = f"information value {item.information_value:.4f}"
        elif len(kept) == settings.inputs:
            left_out[item.name] = f"not among the best {settings.inputs}"
        else:
            unit = _unit(item.woe_of(design), weight)
            alike = [other.name for other, its in kept if abs(its @ unit) > settings.correlation]
            if alike:
                left_out[item.name] = f"correlated with {alike[0]}"
            else:
                kept.append((item, unit))
    return [item for item, _ in kept], left_out


def _unit(values: Floats, weight: Matrix) -> Floats:
    """Return values so that the product of two such vectors is their weighted correlation."""
    apart = (values - np.average(values, weights=weight)) * np.sqrt(weight.astype(np.float64))
    return np.asarray(apart / (np.linalg.norm(apart) or 1.0))


def regression(
    kept: list[Characteristic], train: tuple[Matrix, Rows], tune: tuple[Matrix, Rows], settings: Settings
) -> tuple[list[Characteristic], Coefficients, dict[str, str]]:
    """Return the inputs that stay, their regression, and why others do not.

    A default's logit falls with the weight of evidence: where a coefficient says otherwise, points would
    rise with the risk. The input with the worst such coefficient is left out, until none is left.
    """
    left_out: dict[str, str] = {}
    while kept:
        parts = [(_woes(kept, design), rows.label, rows.weight) for design, rows in (train, tune)]
        found = fit_logistic(parts[0], parts[1], settings.strengths)
        worst = int(np.argmax(found.weights))
        if found.weights[worst] <= 0:
            return kept, found, left_out
        left_out[kept[worst].name] = "coefficient of the wrong sign"
        kept = [item for place, item in enumerate(kept) if place != worst]
    rate = float(np.average(train[1].label, weights=train[1].weight))
    return [], Coefficients(np.zeros(0), float(logit(rate)), max(settings.strengths)), left_out


def _woes(kept: Sequence[Characteristic], design: Matrix) -> Matrix:
    return np.column_stack([item.woe_of(design) for item in kept]).astype(np.float32)
