"""Probabilities from prepared inputs through ONNX Runtime: one session a process, no TensorFlow."""

from typing import Any

import numpy as np
import numpy.typing as npt

from loanbook.errors import InputError
from loanbook.models.calibration import Calibration
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Words, states_of
from loanbook.models.inputs.spec import InputSpec

BATCH_ROWS = 1024

Floats = npt.NDArray[np.float64]


def calibrated_mean(members: Floats, calibration: Calibration, target: Head, state: Words) -> Floats:
    """Return the mean of the members' calibrated probabilities, of shape (rows, outputs).

    A calibration is fitted to what single members say of loans that they were not fitted on. Their mean
    varies less, and a slope that is right for them would move its level.

    Args:
        members: raw probabilities, of shape (rows, members, outputs).
        calibration: of one member.
        target: what they are probabilities of.
        state: of each row.
    """
    each = [target.calibrated(members[:, number], calibration, state) for number in range(members.shape[1])]
    return np.asarray(np.mean(each, axis=0))


class Predictor:
    """A network in ONNX Runtime with its calibration.

    Args:
        network: bytes of an ONNX file with inputs ``numeric`` and, if the spec has codes, ``codes``, and one
            output of shape (rows, outputs); of several members, that of each follows the one of their mean.
        spec: what the columns of those inputs are.
        target: what the probabilities are of.
        batch_rows: rows of one call; few enough keep the activations in the cache.
    """

    def __init__(
        self,
        network: bytes,
        spec: InputSpec,
        calibration: Calibration,
        target: Head,
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # Spark runs one worker process a core
        options.inter_op_num_threads = 1
        self._session: Any = onnxruntime.InferenceSession(
            network, options, providers=["CPUExecutionProvider"]
        )
        # Without it a member's call would compute all members.
        self._run_options = onnxruntime.RunOptions()
        self._run_options.only_execute_path_to_fetches = True
        self._inputs = {item.name for item in self._session.get_inputs()}
        mean, *members = self._session.get_outputs()
        self.outputs = int(mean.shape[1])
        self._members = [item.name for item in members or [mean]]
        self.spec, self.calibration, self.target, self.batch_rows = spec, calibration, target, batch_rows

    def predict(self, numeric: npt.ArrayLike, codes: npt.ArrayLike | None = None) -> tuple[Floats, Floats]:
        """Return the raw and the calibrated probabilities, each of shape (rows, outputs).

        Args:
            numeric: shape (rows, ``len(spec.numeric_columns)``), in the spec's order, NaN for missing.
            codes: shape (rows, ``len(spec.code_columns)``), 0 for unknown; may be None where there are none.

        Raises:
            InputError: the shapes are not those of the spec.
        """
        members = self.members(numeric, codes)
        state = states_of(self.spec, codes, len(members))
        return members.mean(axis=1), calibrated_mean(members, self.calibration, self.target, state)

    def members(
        self, numeric: npt.ArrayLike, codes: npt.ArrayLike | None = None, only: int | None = None
    ) -> Floats:
        """Return the raw probabilities of each member, of shape (rows, members, outputs).

        Args:
            numeric: as for ``predict``.
            codes: as for ``predict``.
            only: the number of the one that is asked; None: all.
        """
        x = np.ascontiguousarray(numeric, np.float32)
        c = np.zeros((len(x), 0), np.int32) if codes is None else np.ascontiguousarray(codes, np.int32)
        self._require_shape(x, c)
        asked = self._members if only is None else [self._members[only]]
        found = np.empty((len(x), len(asked), self.outputs), np.float64)
        for start in range(0, len(x), self.batch_rows):
            rows = slice(start, start + self.batch_rows)
            feed = {
                name: value[rows] for name, value in (("numeric", x), ("codes", c)) if name in self._inputs
            }
            for place, output in enumerate(self._session.run(asked, feed, self._run_options)):
                found[rows, place] = output
        return np.clip(found, 0, 1)  # an earlier version's float32 sigmoid may give 1.0000001

    def _require_shape(self, numeric: npt.NDArray[np.float32], codes: npt.NDArray[np.int32]) -> None:
        required = (len(self.spec.numeric_columns), len(self.spec.code_columns))
        found = (numeric.shape[1], codes.shape[1])
        if required != found or len(numeric) != len(codes):
            raise InputError(
                required=f"{required[0]} columns of numbers and {required[1]} of codes, as in training",
                found=f"{found[0]} and {found[1]}, for {len(numeric)} and {len(codes)} rows",
                do="prepare the features with model_inputs and this model's own spec",
            )
