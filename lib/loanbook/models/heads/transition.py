"""The state one period on, given the state now, and the 12-month PD that its matrix of moves gives.

A softmax over the states that can be reached from each state: the network has a logit for each possible
move, of whatever state, so that one pass gives the row's whole matrix. Each row teaches the moves from its
own state (a multinomial logit by state; networks of them: Sirignano, Sadhwani and Giesecke 2016, *Deep
learning for mortgage risk*). The matrix, put after itself for as many periods as 12 months have, with default
and the end of a loan absorbing, gives the PD: inputs stay what they are now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.state_moves import DESTINATIONS, NEXT_STATE, NO_MOVE, UNKNOWN, StateMoves, move_expr
from loanbook.models.binary_head import of_default
from loanbook.models.calibration import Calibration
from loanbook.models.calibration_by_state import calibration_by_state
from loanbook.models.calibration_rows import CalibrationRows
from loanbook.models.chain import leaning
from loanbook.models.head import Floats, Head
from loanbook.models.heads.default_12m import HEAD as DEFAULT_12M
from loanbook.models.inputs.rows import Rows, Words
from loanbook.models.together import Together
from loanbook.settings.book import DefaultDefinition
from loanbook.settings.train import TrainSettings
from loanbook.tables.columns import LOAN_MONTH
from loanbook.tables.labels import LABELS, MAIN_HORIZON, status_column

STATE = "state"  # input that says what a loan moves from
HARDLY = 1e-6  # probability of a possible move that no training row made
NEVER = 1e-9


@dataclass(frozen=True)
class TransitionHead(Head):
    """The next state; its PD is judged by the 12-month label, as that of ``default_12m`` is."""

    target_columns: ClassVar[tuple[str, ...]] = (NEXT_STATE,)

    @property
    def outputs(self) -> int:
        """Return the PD and the probability of each destination."""
        return 1 + len(DESTINATIONS)

    @property
    def unfitted(self) -> Head:
        """Return the head without the counted moves."""
        return replace(self, moves=replace(self.of_book, counts=None))

    @property
    def beside(self) -> Head:
        """Return ``default_12m``, of the same book."""
        return replace(DEFAULT_12M, moves=self.moves)

    @property
    def loss_of(self) -> str:
        """Return that it is that of the next state."""
        return "the next state"

    @property
    def reads(self) -> tuple[str, ...]:
        """Return the state."""
        return (STATE,)

    @property
    def of_book(self) -> StateMoves:
        """Return the moves of the book that was told, else of a monthly one by the usual definition."""
        return self.moves or StateMoves.of(1, DefaultDefinition())

    def targets(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        """Return the 12-month label, and the place of the next state, -1 where it is not known or censored.

        A row of a performing loan is eligible where it has either. One with a label alone trains nothing, one
        with a next state alone judges nothing.
        """
        status, move = F.col(status_column(MAIN_HORIZON)), move_expr(F.col(NEXT_STATE))
        performing = ~status.isin("in_default", "tape_outcome")
        label = F.when(status == "observed", F.col(DEFAULT_12M.label))
        return tables[LABELS.name].select(
            *LOAN_MONTH,
            status.alias("label_status"),
            (performing & ((move != NO_MOVE) | label.isNotNull())).alias("eligible"),
            label.alias("label"),
            move.alias(NEXT_STATE),
        )

    def measured(self, rows: DataFrame, period_months: int, least: int) -> dict[str, Any]:
        """Return what is known of the book's moves, with how often each was made in the rows."""
        return {"moves": asdict(self.of_book.with_counts(self.of_book.counted(rows)))}

    def contradicting(self, rows: DataFrame) -> int:
        """Return how many rows made a move that cannot be, as no training row made it."""
        return int(self.of_book.counted(rows)[~self.of_book.reachable].sum())

    def always_kept(self) -> Column:
        """Return all rows but those of loans that stay current and do not default within 12 months."""
        current = DESTINATIONS.index("current")
        stays = (F.col(STATE) == "current") & (F.col(NEXT_STATE) == current)
        return F.col("label").eqNullSafe(1) | ~F.coalesce(stays, F.lit(False))

    def output(self, hidden: Any, rate: float, groups: Any) -> Any:
        """Return a logit for each possible move, then the row's origin, one-hot."""
        import tensorflow as tf

        from loanbook.models.submodel_layers import last_layer
        from loanbook.models.transition_layers import OriginOf, with_origin

        state = next((item for item in groups.categorical if item.name == STATE), None)
        codes = tf.cast(groups.numeric[:, 0] * 0, tf.int32) if state is None else state.codes
        origin = OriginOf(state.vocabulary if state else (), self.of_book.origins, name="origin")
        return with_origin(last_layer(hidden, self.start(rate)), origin(codes))

    def start(self, rate: float) -> Sequence[float]:
        """Return the log probabilities of the moves of the training rows.

        Each origin's lean on those of all by one row. Where none were counted, a loan stays where it is or
        defaults, so that it defaults within 12 months with probability ``rate``.
        """
        moves = self.of_book
        if moves.counts is not None and np.sum(moves.counts) > 0:
            counts = np.array(moves.counts)
            found = np.maximum(leaning(counts, counts.sum(axis=0) / counts.sum(), 1.0), HARDLY)
        else:
            hazard = -np.expm1(np.log1p(-rate) / moves.periods(MAIN_HORIZON))
            found = np.full(moves.reachable.shape, NEVER)
            found[:, DESTINATIONS.index(moves.default_states[0])] = hazard
            for place, origin in enumerate(moves.origins):
                found[place, DESTINATIONS.index("current" if origin == UNKNOWN else origin)] = 1 - hazard
        return [float(value) for value in np.log(found[moves.reachable])]

    def losses(self, scores: Any, targets: Any) -> Any:
        """Return -log of the probability of the next state, 0 of a row that has none or an impossible one."""
        import tensorflow as tf

        from loanbook.models.transition_layers import IMPOSSIBLE, own_log_moves

        places = tf.cast(targets[:, 0], tf.int32)
        came = tf.one_hot(places, len(DESTINATIONS))
        found = tf.reduce_sum(own_log_moves(scores, self.of_book) * came, axis=1)
        return tf.where(found > IMPOSSIBLE / 2, -found, tf.zeros_like(found))

    def probabilities(self, scores: Any) -> Any:
        """Return the chained 12-month PD, then the probability of each next state, in the order of STATES."""
        from loanbook.models.transition_layers import Chain

        return Chain(self.of_book, self.of_book.periods(MAIN_HORIZON), name="chain")(scores)

    def pd(self, probabilities: Floats) -> Floats:
        """Return the 12-month PD."""
        return np.asarray(probabilities[:, 0], np.float64)

    def calibrate(self, raw: Floats, rows: Rows, together: Together, settings: TrainSettings) -> Calibration:
        """Return the calibration of the 12-month PD, by state where enough loans default from it."""
        label, weight = rows.label.astype(np.float64), rows.weight.astype(np.float64)
        judged = CalibrationRows(self.pd(raw), label, weight, together)
        state = np.full(len(rows), UNKNOWN) if rows.state is None else rows.state
        return calibration_by_state(judged, state, settings.calibration, settings.min_defaults)

    def calibrated(self, raw: Floats, calibration: Calibration, state: Words) -> Floats:
        """Return the PD calibrated by the row's state; next states stay the model's."""
        return np.column_stack([calibration.apply_by_state(raw[:, 0], state), raw[:, 1:]])

    def score_columns(
        self, raw: Sequence[Column], calibrated: Sequence[Column], method: str
    ) -> dict[str, Column]:
        """Return ``pd_12m``, ``pd_12m_raw``, and ``pd_method``, which is ``chained``."""
        said = F.lit("chained" if method == "direct" else method)
        return of_default(self.fills[0], raw[0], calibrated[0], said)


HEAD = TransitionHead(
    name="transition",
    label=DEFAULT_12M.label,
    event=DEFAULT_12M.event,
    horizon_months=MAIN_HORIZON,
    fills=DEFAULT_12M.fills,
)
