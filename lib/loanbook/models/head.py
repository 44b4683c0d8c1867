"""What a head is: what is predicted, from which label, and what is made of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.tape_kind import Outcome
from loanbook.models.calibration import Calibration
from loanbook.models.inputs.rows import Rows
from loanbook.models.together import Together
from loanbook.settings.train import TrainSettings
from loanbook.tables.base import Table
from loanbook.tables.labels import LABELS

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Head(ABC):
    """What is predicted. Training, calibration, evaluation and scoring ask a head, and know none by name.

    Its methods speak of three things: frames of Spark (rows and scores), tensors of TensorFlow (the network)
    and arrays of NumPy (calibration and evaluation). TensorFlow is imported where a method needs it, as
    scoring has none.

    Args:
        name: its module's.
        label: name of what it learns, in manifests and reports.
        event: what its PD is the probability of, in words.
        horizon_months: months from a row to the end of its label; None: up to the loan's maturity.
        fills: columns of the scores that it fills, the main one first.
    """

    name: str
    label: str
    event: str
    horizon_months: int | None
    fills: tuple[str, ...]

    # Tables that ``targets`` reads, and columns of its result that the loss takes.
    tables: ClassVar[tuple[Table, ...]] = (LABELS,)
    target_columns: ClassVar[tuple[str, ...]] = ("label",)
    # Units of the last layer, and probabilities that are made of them.
    units: ClassVar[int] = 1
    outputs: ClassVar[int] = 1
    # Whether the one target may be a probability between 0 and 1, as a teacher says it.
    may_be_taught: ClassVar[bool] = False

    @property
    def is_of_tape(self) -> bool:
        """Return whether the tape itself says what counts as bad."""
        return False

    def of_tape(self, outcome: Outcome | None) -> "Head":
        """Return the head of a tape that declares an outcome of its own, or none."""
        return self

    @abstractmethod
    def targets(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        """Return a row for each loan and month that the tables know.

        Its columns are ``source``, ``loan_id``, ``as_of_date``; ``label_status``, why a row has a label or
        has none; ``eligible``, whether it may train or judge; ``label``, 1 where the event came about, which
        default rates and evaluations count; and the ``target_columns``.

        Args:
            tables: the frames of ``self.tables`` by name, of one source.
        """

    def always_kept(self) -> Column:
        """Return which training rows thinning keeps, at least those where the event came about.

        Of the others a share is kept, each row drawn by itself, and weighs 1/share.
        """
        return F.col("label") == 1

    def output(self, hidden: Any, rate: float) -> Any:
        """Return the scores, float32 of shape (rows, units), or of a backbone's submodels each its own.

        Weights are zero at first and the bias is ``start``: training begins at the best constant.

        Args:
            hidden: what the backbone built, of shape (rows, hidden units), or (rows, submodels, hidden
                units), of which the scores are (rows, submodels, units).
            rate: of the label in the training rows.
        """
        import tensorflow as tf

        from loanbook.models.submodel_layers import SubmodelScores

        if len(hidden.shape) == 3:
            return SubmodelScores(self.units, self.start(rate), name="score")(hidden)
        bias = tf.keras.initializers.Constant(self.start(rate))
        layer = tf.keras.layers.Dense(
            self.units, kernel_initializer="zeros", bias_initializer=bias, name="score"
        )
        return layer(hidden)

    @abstractmethod
    def start(self, rate: float) -> Sequence[float]:
        """Return the scores, one a unit, of a model that gives every row the probability ``rate``."""

    @abstractmethod
    def losses(self, scores: Any, targets: Any) -> Any:
        """Return each row's loss, a tensor of shape (rows,): -log of the probability of what came about.

        Args:
            scores: of shape (rows, units).
            targets: of shape (rows, ``len(target_columns)``).
        """

    @abstractmethod
    def probabilities(self, scores: Any) -> Any:
        """Return the tensor of probabilities of shape (rows, outputs), from scores of shape (rows, units)."""

    @abstractmethod
    def pd(self, probabilities: Floats) -> Floats:
        """Return the probability of the event, of shape (rows,), from all outputs, (rows, outputs)."""

    @abstractmethod
    def calibrate(self, raw: Floats, rows: Rows, together: Together, settings: TrainSettings) -> Calibration:
        """Return the calibration of a model.

        Args:
            raw: its probabilities of the rows, of shape (rows, outputs).
            rows: those kept aside for calibration.
            together: which of them come about together.
            settings: ``calibration``, and how many loans must have defaulted (``min_defaults``).
        """

    @abstractmethod
    def score_columns(
        self, raw: Sequence[Column], calibrated: Sequence[Column], method: str
    ) -> dict[str, Column]:
        """Return the columns of the scores that the head fills, ``pd_method`` among them.

        Args:
            raw: probabilities, a column for each output.
            calibrated: the same, calibrated.
            method: how they came about: ``direct``, or ``prior`` where the model saw no label.
        """

    def still_open(self) -> Column:
        """Return for which scored loans the event may still come: only these are expected to have one."""
        return F.lit(True)
