"""A head with several outputs: what a loan does in the next period. It exists in the tests alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.models.calibration import Calibration
from loanbook.models.head import Floats, Head
from loanbook.models.inputs.rows import Rows
from loanbook.models.together import Together
from loanbook.settings.train import TrainSettings


@dataclass(frozen=True)
class NextMove(Head):
    """Default, prepayment or neither: softmax over three units; the target is the position of what came."""

    target_columns: ClassVar[tuple[str, ...]] = ("move",)

    @property
    def units(self) -> int:
        return 3

    @property
    def outputs(self) -> int:
        return 3

    def targets(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        raise NotImplementedError

    def start(self, rate: float) -> Sequence[float]:
        return [float(np.log(share)) for share in (rate, 0.1, 0.9 - rate)]

    def losses(self, scores: Any, targets: Any) -> Any:
        import tensorflow as tf

        moves = tf.cast(targets[:, 0], tf.int32)
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=moves, logits=scores)

    def probabilities(self, scores: Any) -> Any:
        import tensorflow as tf

        return tf.keras.layers.Softmax(name="moves")(scores)

    def pd(self, probabilities: Floats) -> Floats:
        return probabilities[:, 0]

    def calibrate(self, raw: Floats, rows: Rows, together: Together, settings: TrainSettings) -> Calibration:
        return Calibration(method="none")

    def score_columns(
        self, raw: Sequence[Column], calibrated: Sequence[Column], method: str
    ) -> dict[str, Column]:
        return {"pd_12m_raw": raw[0], "pd_12m": calibrated[0], "pd_method": F.lit(method)}


HEAD = NextMove("next_move", "move", "default in the next period", 1, ("pd_12m",))
