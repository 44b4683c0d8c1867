"""What a head is: what is predicted, from which label, and what is made of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.default_status import performing_expr
from loanbook.book.state_moves import StateMoves
from loanbook.book.tape_kind import Outcome
from loanbook.models.calibration import Calibration
from loanbook.models.calibration_choice import choose_calibration
from loanbook.models.calibration_rows import CalibrationRows
from loanbook.models.incidence import Curves
from loanbook.models.inputs.rows import Rows, Words
from loanbook.models.together import Together
from loanbook.settings.section import Section
from loanbook.settings.train import TrainSettings
from loanbook.tables.base import Table
from loanbook.tables.columns import LOAN_MONTH
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
        moves: of the book's loans between states; None where the tape itself says what is bad.
    """

    name: str
    label: str
    event: str
    horizon_months: int | None
    fills: tuple[str, ...]
    moves: StateMoves | None = field(default=None, kw_only=True)

    # Tables that ``targets`` reads, and columns of its result that the loss takes.
    tables: ClassVar[tuple[Table, ...]] = (LABELS,)
    target_columns: ClassVar[tuple[str, ...]] = ("label",)
    # Whether the one target may be a probability between 0 and 1, as a teacher says it.
    may_be_taught: ClassVar[bool] = False
    # What thinning keeps or leaves as a whole: months, or loans.
    thinned_by: ClassVar[tuple[str, ...]] = LOAN_MONTH
    # Columns of features, beside those that scores keep, which ``score_columns`` reads.
    score_reads: ClassVar[tuple[str, ...]] = ()

    @property
    def outputs(self) -> int:
        """Return how many probabilities are made of the scores."""
        return 1

    @property
    def loss_of(self) -> str:
        """Return what ``losses`` are the log loss of, in words."""
        return "the label"

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the inputs that it cannot do without, whatever the backbone."""
        return ()

    @property
    def unfitted(self) -> "Head":
        """Return the head without what was counted: ``start`` then gives every row the same probability."""
        return self

    @property
    def leads(self) -> bool:
        """Return whether its scores may be the book's, of which views tell a 12-month PD or an outcome."""
        return not {"pd_12m", "pd_outcome"}.isdisjoint(self.fills)

    @property
    def beside(self) -> "Head":
        """Return what the baselines beside a model predict: the event of its label, if not the same."""
        return self

    def with_settings(self, settings: Section) -> "Head":
        """Return the head with its own settings, the ``Settings`` of its module, which may have none."""
        return self

    @property
    def is_of_tape(self) -> bool:
        """Return whether the tape itself says what counts as bad."""
        return False

    def of_tape(self, outcome: Outcome | None) -> "Head":
        """Return the head of a tape that declares an outcome of its own, or none."""
        return self

    def completed(self, measured: Mapping[str, Any]) -> "Head":
        """Return the head with what ``measured`` found in the training rows of a snapshot."""
        return replace(self, moves=StateMoves.read(measured.get("moves")))

    @abstractmethod
    def targets(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        """Return a row for each loan and month that the tables know.

        Its columns are ``source``, ``loan_id``, ``as_of_date``; ``label_status``, why a row has a label or
        has none; ``eligible``, whether it may train or judge; ``label``, 1 where the event came about, which
        default rates and evaluations count, null of a row that trains, but judges nothing; and the
        ``target_columns``.

        Args:
            tables: the frames of ``self.tables`` by name, of one source.
        """

    def as_known(self, rows: DataFrame, until: Column) -> DataFrame:
        """Return rows of ``targets`` with the ``target_columns`` as they were known in a month.

        Labels need nothing of it: a row has one, or its horizon has not passed.

        Args:
            rows: with their role.
            until: the last month, a date, of which anything was known for a row.
        """
        return rows

    def measured(self, rows: DataFrame, period_months: int, least: int) -> dict[str, Any]:
        """Return plain values that the network is made by, measured on the rows that fit it.

        Args:
            rows: of ``as_known``, with their ``state``.
            period_months: of the tape.
            least: loans below which a sample tells nothing.
        """
        return {} if self.moves is None else {"moves": asdict(self.moves)}

    def contradicting(self, rows: DataFrame) -> int:
        """Return how many rows say what the training rows had the head take for impossible.

        Args:
            rows: that do not fit, of ``as_known``, with their ``state``.
        """
        return 0

    @property
    def shortened(self) -> str | None:
        """Return what the training rows could not tell of what was asked for, in words; None of nothing."""
        return None

    def always_kept(self) -> Column:
        """Return which training rows thinning keeps, at least those where the event came about.

        Of the others a share is kept, those that agree in ``thinned_by`` together, and weighs 1/share.
        """
        return F.col("label") == 1

    def output(self, hidden: Any, rate: float, groups: Any) -> Any:
        """Return the scores, float32 of shape (rows, units), or of a backbone's submodels each its own.

        Weights are zero at first and the bias is ``start``: training begins at the best constant.

        Args:
            hidden: what the backbone built, of shape (rows, hidden units), or (rows, submodels, hidden
                units), of which the scores are (rows, submodels, units).
            rate: of the label in the training rows.
            groups: the inputs, for a head whose scores depend on more than the hidden units.
        """
        from loanbook.models.submodel_layers import last_layer

        return last_layer(hidden, self.start(rate))

    @abstractmethod
    def start(self, rate: float) -> Sequence[float]:
        """Return the scores, one a unit, of a model that gives every row the probability ``rate``.

        A head that counted more in the training rows (``measured``) may begin with that.
        """

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

    def curves(self, probabilities: Floats) -> Curves | None:
        """Return the curves of all outputs, (rows, outputs); None of a head that has none."""
        return None

    def calibrate(self, raw: Floats, rows: Rows, together: Together, settings: TrainSettings) -> Calibration:
        """Return the calibration of the PD: the one asked for, or the simplest whose gain is beyond chance.

        Args:
            raw: its probabilities of the rows, of shape (rows, outputs).
            rows: those kept aside for calibration.
            together: which of them come about together.
            settings: ``calibration``, and how many loans must have defaulted (``min_defaults``).
        """
        label, weight = rows.label.astype(np.float64), rows.weight.astype(np.float64)
        judged = CalibrationRows(self.pd(raw), label, weight, together)
        return choose_calibration(judged, settings.calibration, settings.min_defaults)

    def calibrated(self, raw: Floats, calibration: Calibration, state: Words) -> Floats:
        """Return all probabilities as a calibration of the PD has them, of shape (rows, outputs).

        Args:
            raw: those of one member, of shape (rows, outputs).
            calibration: of ``calibrate``.
            state: of each row, ``unknown`` where it is not known.
        """
        return calibration.apply(raw)

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
        return F.lit(True) if self.is_of_tape else performing_expr()
