"""A curve of default and prepayment, month by month: hazards of competing risks in discrete time.

In each period a loan at risk defaults, prepays (or matures) or stays, by a softmax whose logits are smooth
in the periods ahead: cubic splines with coefficients of the network. The likelihood is that of cause-specific
hazards (Kvamme, Borgan 2021, *Continuous and discrete-time survival prediction with neural networks*).
``pd_12m`` is the cumulative incidence of default at 12 months, and its log loss is trained on beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import LOAN
from loanbook.book.state_moves import StateMoves
from loanbook.book.tape_kind import Outcome
from loanbook.errors import InputError
from loanbook.models.calibration import Calibration
from loanbook.models.follow_up import as_known, followed, with_spell
from loanbook.models.head import Floats, Head
from loanbook.models.heads import default_12m
from loanbook.models.heads._curve_columns import curve_columns
from loanbook.models.incidence import Curves, constant_hazard, spline_basis, with_default_of
from loanbook.models.inputs.rows import Words
from loanbook.settings.section import Section
from loanbook.tables.base import Table
from loanbook.tables.labels import LABELS, MAIN_HORIZON
from loanbook.tables.outcomes import OUTCOMES


class Settings(Section):
    """Of the curve."""

    curve_months: int = Field(
        60,
        ge=MAIN_HORIZON,
        le=480,
        description="months ahead; at most as many as training loans were followed",
    )
    splines: int = Field(6, ge=4, le=24, description="cubic splines that a hazard's course is made of")
    label_weight: float = Field(
        0.5, ge=0, description="of the 12-month label's log loss beside the likelihood of all months"
    )


@dataclass(frozen=True)
class TermStructure(Head):
    """Default and prepayment by period: the outputs are the incidences of default, then of prepayment.

    Args:
        curve_months: months ahead that are asked for.
        splines: that the course of each hazard is made of.
        label_weight: of the label's loss beside the likelihood.
        period_months: from one report of the tape to the next.
        followed_months: that training loans were followed at most; None: not known yet.
        prepayment: hazard of prepayment a period that training begins with.
    """

    curve_months: int = 60
    splines: int = 6
    label_weight: float = 0.5
    period_months: int = 1
    followed_months: int | None = None
    prepayment: float = 0.01

    tables: ClassVar[tuple[Table, ...]] = (LABELS, OUTCOMES)
    target_columns: ClassVar[tuple[str, ...]] = ("label", "months", "event")
    thinned_by: ClassVar[tuple[str, ...]] = LOAN
    score_reads: ClassVar[tuple[str, ...]] = ("remaining_term",)

    @property
    def months(self) -> int:
        """Return how many months the curve has: whole periods, 12 months at least, which labels are of."""
        told = self.curve_months if self.followed_months is None else self.followed_months
        asked = min(self.curve_months, told)
        return max(MAIN_HORIZON, asked - asked % self.period_months)

    @property
    def periods(self) -> int:
        """Return how many periods the curve has."""
        return self.months // self.period_months

    @property
    def year(self) -> int:
        """Return how many periods ``pd_12m`` is of."""
        return MAIN_HORIZON // self.period_months

    @property
    def basis(self) -> Floats:
        """Return the splines, (splines, periods)."""
        return spline_basis(self.periods, self.splines)

    @property
    def units(self) -> int:
        """Return two coefficients for each spline."""
        return 2 * len(self.basis)

    @property
    def outputs(self) -> int:
        """Return two incidences for each period."""
        return 2 * self.periods

    @property
    def loss_of(self) -> str:
        """Return that it is that of the curve, and how much the label counts beside."""
        return f"all months of the curve, plus {self.label_weight:g} times that of the label"

    @property
    def beside(self) -> Head:
        """Return the head of the label: baselines say ``pd_12m`` and no curve."""
        return replace(default_12m.HEAD, moves=self.moves)

    def with_settings(self, settings: Section) -> Head:
        """Return the head with the settings of its curve."""
        return replace(self, **settings.model_dump())

    def of_tape(self, outcome: Outcome | None) -> Head:
        """Refuse a tape with an outcome of its own: it says nothing of when, nor of prepayment.

        Raises:
            InputError: the tape declares one.
        """
        if outcome is None:
            return self
        raise InputError(
            required=f"a tape whose months show default and prepayment, for the head {self.name}",
            found=f"one with an outcome of its own: {outcome}",
            do="take an architecture with the head tape_outcome, or leave head out",
        )

    def completed(self, measured: Mapping[str, Any]) -> Head:
        """Return the head with the period, how far loans were followed, and their hazard of prepayment."""
        own = {name: value for name, value in measured.items() if name != "moves"}
        return replace(self, moves=StateMoves.read(measured.get("moves")), **own)

    @property
    def shortened(self) -> str | None:
        """Return that the curve is shorter than asked for, as the training rows tell nothing of the rest."""
        if self.months + self.period_months > self.curve_months:
            return None
        return (
            f"the curve has {self.months} of {self.curve_months} months: training loans were followed no "
            "longer than that"
        )

    def targets(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        """Return the 12-month label, and how the spell at risk that the month is in ended."""
        return with_spell(default_12m.HEAD.targets(tables), tables[OUTCOMES.name])

    def as_known(self, rows: DataFrame, until: Column) -> DataFrame:
        """Return the rows with ``months`` at risk and the ``event`` that ended them, as known in a month."""
        return as_known(rows, until)

    def measured(self, rows: DataFrame, period_months: int, least: int) -> dict[str, Any]:
        """Return the period, the months that ``least`` loans were followed, and the hazard of prepayment.

        Raises:
            InputError: 12 months are no whole number of periods, or the rows have no month at risk.
        """
        if MAIN_HORIZON % period_months:
            raise InputError(
                required=f"a tape whose periods make 12 months, for the head {self.name}",
                found=f"periods of {period_months} months",
                do="take an architecture with another head",
            )
        known = super().measured(rows, period_months, least)
        found = followed(rows, least)
        if found is None:
            return {**known, "period_months": period_months, "followed_months": 0}
        if not found.loan_months:
            raise InputError(
                required=f"outcomes of the loans with labels, for the head {self.name}",
                found="none that tells a month at risk",
                do="run build-labels again, which makes labels and outcomes together",
            )
        return {
            **known,
            "period_months": period_months,
            "followed_months": found.longest,
            "prepayment": found.prepayment_hazard(period_months),
        }

    def always_kept(self) -> Column:
        """Return the months of the loans that had an event: others are thinned as whole loans."""
        return F.col("has_event")

    def start(self, rate: float) -> Sequence[float]:
        """Return coefficients of constant hazards: that of prepayment, and of default what makes the rate."""
        hazard = constant_hazard(rate, self.prepayment, self.year)
        stay = np.log(1 - hazard - self.prepayment)
        splines = len(self.basis)
        return [float(np.log(hazard) - stay)] * splines + [float(np.log(self.prepayment) - stay)] * splines

    def losses(self, scores: Any, targets: Any) -> Any:
        """Return -log of the probability of each row's months at risk and event, and of its label beside it.

        Months beyond the curve tell nothing; a row without a 12-month label (NaN) has none of it.
        """
        from loanbook.models.heads._competing_risks import log_hazards, log_likelihood, log_of_label

        curve = log_hazards(scores, self.basis)
        label, months, event = targets[:, 0], targets[:, 1], targets[:, 2]
        likelihood = log_likelihood(*curve, months / self.period_months, event)
        return -likelihood - self.label_weight * log_of_label(*curve, label, self.year)

    def probabilities(self, scores: Any) -> Any:
        """Return the incidences of default in each period, then of prepayment: (rows, outputs)."""
        import tensorflow as tf

        from loanbook.models.heads._competing_risks import log_hazards, log_incidences

        incidences = tf.exp(log_incidences(*log_hazards(scores, self.basis)))
        return tf.keras.layers.Reshape((self.outputs,), name="incidences")(incidences)

    def pd(self, probabilities: Floats) -> Floats:
        """Return the cumulative incidence of default at 12 months."""
        return np.asarray(np.minimum(probabilities[:, : self.year].sum(axis=1), 1.0), np.float64)

    def curves(self, probabilities: Floats) -> Curves:
        """Return the cumulative incidences of both events."""
        months = self.period_months * np.arange(1, self.periods + 1)
        default, prepayment = probabilities[:, : self.periods], probabilities[:, self.periods :]
        return Curves(months, np.cumsum(default, axis=1), np.cumsum(prepayment, axis=1))

    def calibrated(self, raw: Floats, calibration: Calibration, state: Words) -> Floats:
        """Return the curves with the calibrated ``pd_12m``; what changes nothing returns its input."""
        if calibration.method == "none" and calibration.shift == 0:
            return raw
        wanted, curve = calibration.apply(self.pd(raw)), raw.shape[1] // 2
        both = with_default_of(raw[:, :curve], raw[:, curve:], wanted, self.year, self.period_months)
        return np.concatenate(both, axis=1)

    def score_columns(
        self, raw: Sequence[Column], calibrated: Sequence[Column], method: str
    ) -> dict[str, Column]:
        """Return ``pd_12m``, ``pd_lifetime``, ``prepayment_12m``, both curves, and the method ``hazard``."""
        return curve_columns(raw, calibrated, self.year, self.period_months, method)


HEAD = TermStructure(
    name="term_structure",
    label="default_12m",
    event="default within 12 months",
    horizon_months=MAIN_HORIZON,
    fills=("pd_12m",),
)
