"""The rows that are judged together: labels, PDs of each predictor, and what identifies the rows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from loanbook.evaluation.metrics import Floats
from loanbook.models.artefact.artefact import Artefact, Which
from loanbook.training.snapshot.read import KEPT, Snapshot, matrices

PREDICTORS: tuple[Which, ...] = ("model", "logit")
ROLES = ("test", "calibrate_check")


@dataclass(frozen=True)
class Slice:
    """Rows of one role, each a loan in a month.

    Args:
        frame: key, state, default status, upb, label and weight of each row.
        raw: PDs of each predictor as its network gives them.
        calibrated: the same, calibrated; a simulated book's truth is a predictor too.
    """

    role: str
    frame: pd.DataFrame
    raw: dict[str, Floats]
    calibrated: dict[str, Floats]

    @cached_property
    def label(self) -> Floats:
        """Return 1 for default within 12 months, 0 for none."""
        return self.frame["label"].to_numpy(np.float64)

    @cached_property
    def weight(self) -> Floats:
        """Return the inverse of each row's sampling probability."""
        return self.frame["weight"].to_numpy(np.float64)

    @cached_property
    def loan(self) -> npt.NDArray[np.int64]:
        """Return a code of each row's loan, from 0."""
        codes = self.frame.groupby(["source", "loan_id"], sort=False).ngroup()
        return np.asarray(codes, np.int64)

    @cached_property
    def month(self) -> npt.NDArray[np.str_]:
        """Return each row's month, yyyy-mm."""
        return self.frame["as_of_date"].astype(str).str[:7].to_numpy(str)

    @cached_property
    def state(self) -> npt.NDArray[np.str_]:
        """Return each row's state."""
        return self.frame["state"].fillna("unknown").to_numpy(str)

    @property
    def loans(self) -> int:
        """Return the number of distinct loans."""
        return len(np.unique(self.loan))

    @property
    def defaulting_loans(self) -> int:
        """Return the number of distinct loans with a default label."""
        return len(np.unique(self.loan[self.label > 0]))

    def part(self, rows: npt.NDArray[np.bool_]) -> "Slice":
        """Return the rows where ``rows`` is true."""
        return Slice(
            role=self.role,
            frame=self.frame[rows].reset_index(drop=True),
            raw={name: values[rows] for name, values in self.raw.items()},
            calibrated={name: values[rows] for name, values in self.calibrated.items()},
        )


def predicted_slice(artefact: Artefact, snapshot: Snapshot, role: str) -> Slice:
    """Return a role's rows with what the model and the logit say of them."""
    frame = snapshot.role_frame(role)
    numeric, codes = matrices(frame, artefact.spec)
    raw: dict[str, Floats] = {}
    calibrated: dict[str, Floats] = {}
    for which in PREDICTORS:
        raw[which], calibrated[which] = artefact.predictor(which).predict(numeric, codes)
    return Slice(role, frame[[*KEPT, "label", "weight"]], raw, calibrated)


def prediction_rows(part: Slice, artefact: Artefact, fold: str) -> pd.DataFrame:
    """Return the rows of ``predictions``: one for each predictor and row of the slice."""
    rows = part.frame.assign(
        model_name=artefact.name,
        model_version=artefact.version,
        fold=fold,
        role=part.role,
        label=part.label.astype(np.int32),
        weight=part.weight,
    )
    return pd.concat(
        [rows.assign(predictor=name, pd_raw=part.raw[name], pd=part.calibrated[name]) for name in part.raw],
        ignore_index=True,
    )
