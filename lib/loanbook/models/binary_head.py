"""The head of an event that comes about or does not: one unit, a sigmoid, weighted cross-entropy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.default_status import performing_expr
from loanbook.book.state_moves import NEXT_STATE, move_expr
from loanbook.book.tape_kind import Outcome
from loanbook.models.calibration import logit
from loanbook.models.head import Floats, Head
from loanbook.tables.columns import LOAN_MONTH
from loanbook.tables.labels import LABELS, MAIN_HORIZON, status_column

OUTCOME = "pd_outcome"  # column of the scores that a tape's own outcome fills
TAPE_OUTCOME = "tape_outcome"  # label status of rows that the tape labels itself


@dataclass(frozen=True)
class BinaryHead(Head):
    """A binary outcome within a horizon, from a column of ``labels``.

    Thinning keeps every positive row and a share of the negative ones, which get the weight 1/share.

    Args:
        labelled: the label status of the rows that have the label.
    """

    may_be_taught: ClassVar[bool] = True

    labelled: str

    @property
    def is_of_tape(self) -> bool:
        """Return whether the tape itself says what counts as bad."""
        return self.labelled == TAPE_OUTCOME

    def of_tape(self, outcome: Outcome | None) -> Head:
        """Return the head with the horizon that the tape declares, where its outcome is what is predicted.

        A probability within 12 months fills ``pd_12m`` too.
        """
        if not self.is_of_tape or outcome is None:
            return self
        months = None if outcome.horizon_months == "to_maturity" else outcome.horizon_months
        fills = (*self.fills, "pd_12m") if months == MAIN_HORIZON else self.fills
        return replace(self, horizon_months=months, fills=fills, event=str(outcome))

    def targets(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        """Return the label as ``label``; a row is eligible where it has one.

        Beside it stands the place of the next state, from which the counted matrix learns.
        """
        # A tape's own outcome has the main horizon's status; a horizon without labels is refused by name.
        status = status_column(MAIN_HORIZON if self.is_of_tape else self.horizon_months or 0)
        eligible = (F.col(status) == self.labelled) & F.col(self.label).isNotNull()
        return tables[LABELS.name].select(
            *LOAN_MONTH,
            F.col(status).alias("label_status"),
            F.coalesce(eligible, F.lit(False)).alias("eligible"),
            F.col(self.label).alias("label"),
            move_expr(F.col(NEXT_STATE)).alias(NEXT_STATE),
        )

    def start(self, rate: float) -> Sequence[float]:
        """Return logit(rate).

        >>> from loanbook.models.heads import head
        >>> round(head("default_12m").start(0.5)[0], 6)
        0.0
        """
        return [float(logit(rate))]

    def losses(self, scores: Any, targets: Any) -> Any:
        """Return the binary cross-entropy of each row."""
        import tensorflow as tf

        return tf.nn.sigmoid_cross_entropy_with_logits(labels=targets[:, 0], logits=scores[:, 0])

    def probabilities(self, scores: Any) -> Any:
        """Return the sigmoid of the scores, of shape (rows, 1)."""
        from loanbook.models.submodel_layers import Sigmoid

        return Sigmoid(name="pd")(scores)

    def pd(self, probabilities: Floats) -> Floats:
        """Return the one output."""
        return np.asarray(probabilities[:, 0], np.float64)

    def score_columns(
        self, raw: Sequence[Column], calibrated: Sequence[Column], method: str
    ) -> dict[str, Column]:
        """Return ``<name>`` and ``<name>_raw`` of each name that the head fills, and ``pd_method``.

        A loan in default or probation has PD 1, no raw PD, and the method ``in_default``; what the tape
        itself calls bad may still come or not, so that ``pd_outcome`` is the model's of every loan.
        """
        columns: dict[str, Column] = {}
        for name in self.fills:
            filled = _of_outcome if name == OUTCOME else of_default
            columns |= filled(name, raw[0], calibrated[0], F.lit(method))
        return columns


def of_default(name: str, raw: Column, calibrated: Column, method: Column) -> dict[str, Column]:
    """Return the columns of a PD of default: 1 of a loan in default or probation, without a raw one."""
    performing = performing_expr()
    return {
        f"{name}_raw": F.when(performing, raw),
        name: F.when(performing, calibrated).otherwise(F.lit(1.0)),
        "pd_method": F.when(performing, method).otherwise(F.lit("in_default")),
    }


def _of_outcome(name: str, raw: Column, calibrated: Column, method: Column) -> dict[str, Column]:
    return {f"{name}_raw": raw, name: calibrated, "pd_method": method}
