"""The rows that are judged together: labels, PDs of each predictor, and what identifies the rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from loanbook.book.state_moves import UNKNOWN
from loanbook.models.artefact.artefact import MODEL, Artefact
from loanbook.models.artefact.predictor import Predictor, calibrated_mean
from loanbook.models.clustered import Floats
from loanbook.models.together import Together, defaulting
from loanbook.training.snapshot.fold import TEST
from loanbook.training.snapshot.predicted import PredictedSample, predicted_rows
from loanbook.training.snapshot.read import Snapshot, states_in

AGES = (12, 24, 36, 60, 120)  # last months on book of the bands before the last


def age_bands(months: Floats) -> npt.NDArray[np.str_]:
    """Return the band of each number of months on book, ``unknown`` of NaN.

    The first band has the months before origination too, which some tapes report.

    >>> age_bands(np.array([-1, 12, 13, 500, np.nan])).tolist()
    ['000-012', '000-012', '013-024', '121-', 'unknown']
    """
    names = [
        f"{low:03d}-{high:03d}" for low, high in zip((0, *(age + 1 for age in AGES[:-1])), AGES, strict=True)
    ]
    every = np.array([*names, f"{AGES[-1] + 1:03d}-", UNKNOWN])
    return np.asarray(every[np.where(np.isnan(months), len(AGES) + 1, np.searchsorted(AGES, months))])


@dataclass(frozen=True)
class Sample:
    """Rows of one role, each a loan in a month.

    Args:
        frame: key, borrower, state, default status, upb, label, weight and age of each row; its year of
            origination, ``vintage``, where that was looked up; and of rows of several origins its ``origin``.
        raw: PDs of each predictor as its network gives them.
        calibrated: the same, calibrated; a simulated book's truth is a predictor too.
        vectors: of a head with several outputs, all of them by predictor, raw and calibrated, each of shape
            (rows, outputs).
        horizon_months: of the label; None: up to maturity.
    """

    role: str
    frame: pd.DataFrame
    raw: dict[str, Floats]
    calibrated: dict[str, Floats]
    vectors: dict[str, tuple[Floats, Floats]] = field(default_factory=dict)
    horizon_months: int | None = None

    @cached_property
    def label(self) -> Floats:
        """Return 1 where the model's event came about, 0 where not."""
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
    def member(self) -> npt.NDArray[np.int64]:
        """Return which member predicted each row; the same number where all did."""
        if "member" not in self.frame:
            return np.full(len(self.frame), -1)
        return self.frame["member"].to_numpy(np.int64)

    @cached_property
    def together(self) -> Together:
        """Return which rows come about together: what intervals are clustered by."""
        return Together.of(self.frame, self.horizon_months)

    @cached_property
    def month(self) -> npt.NDArray[np.str_]:
        """Return each row's month, yyyy-mm."""
        return self.frame["as_of_date"].astype(str).str[:7].to_numpy(str)

    @property
    def year(self) -> npt.NDArray[np.str_]:
        """Return the year of each row's month."""
        return self.month.astype("U4")

    @cached_property
    def origin(self) -> npt.NDArray[np.str_]:
        """Return the name of each row's origin, ``unknown`` where all are of one."""
        if "origin" not in self.frame:
            return np.full(len(self.frame), UNKNOWN)
        return self.frame["origin"].to_numpy(str)

    @cached_property
    def vintage(self) -> npt.NDArray[np.str_]:
        """Return each row's year of origination, ``unknown`` where none is known."""
        if "vintage" not in self.frame:
            return np.full(len(self.frame), UNKNOWN)
        return self.frame["vintage"].astype("Int64").astype("string").fillna(UNKNOWN).to_numpy(str)

    @cached_property
    def state(self) -> npt.NDArray[np.str_]:
        """Return each row's state."""
        return states_in(self.frame)

    @cached_property
    def age(self) -> npt.NDArray[np.str_]:
        """Return each row's band of months on book."""
        return age_bands(self.frame["age"].to_numpy(np.float64))

    @property
    def baselines(self) -> list[str]:
        """Return the predictors beside the model, the one that reports compare with first."""
        return [name for name in self.raw if name != MODEL]

    @property
    def loans(self) -> int:
        """Return the number of distinct loans."""
        return len(np.unique(self.loan))

    @property
    def defaulting_loans(self) -> int:
        """Return the number of distinct loans with a default label."""
        return len(np.unique(self.loan[self.label > 0]))

    @cached_property
    def defaulting_borrowers(self) -> int:
        """Return the number of distinct borrowers with a default label: what ``min_defaults`` counts.

        A borrower's loans default together. Each loan is a borrower's unless ``train.borrower`` says more.
        """
        return len(np.unique(self.together.borrower[self.label > 0]))

    @property
    def defaulting(self) -> str:
        """Return in words how many defaulted."""
        return defaulting(self.defaulting_loans, self.defaulting_borrowers)

    def part(self, rows: npt.NDArray[np.bool_]) -> "Sample":
        """Return the rows where ``rows`` is true."""
        return Sample(
            role=self.role,
            frame=self.frame[rows].reset_index(drop=True),
            raw={name: values[rows] for name, values in self.raw.items()},
            calibrated={name: values[rows] for name, values in self.calibrated.items()},
            vectors={name: (raw[rows], pds[rows]) for name, (raw, pds) in self.vectors.items()},
            horizon_months=self.horizon_months,
        )


def predicted_samples(
    artefact: Artefact, snapshot: Snapshot, limit: int, only: Sequence[str] | None = None
) -> list[Sample]:
    """Return the test rows, then loans of development that none was fitted on, as all predictors see them.

    Args:
        artefact: the model with its baselines.
        snapshot: its evidence.
        limit: most rows of development, drawn at random.
        only: predictors that are asked; None: all.
    """
    return [
        predicted_sample(artefact, snapshot, TEST, None, only),
        predicted_sample(artefact, snapshot, snapshot.fold.checked_on, limit, only),
    ]


def predicted_sample(
    artefact: Artefact,
    snapshot: Snapshot,
    name: str,
    limit: int | None = None,
    only: Sequence[str] | None = None,
) -> Sample:
    """Return one of the snapshot's samples; arguments as of ``predicted_samples``."""
    predictors = {one: artefact.predictor(one) for one in only or artefact.predictors}
    return _as_sample(name, predicted_rows(snapshot, name, predictors, limit), predictors)


def concatenated(parts: Sequence[Sample]) -> Sample:
    """Return the rows of samples of one role and of the same predictors, which share no loan's month.

    They are without all outputs, of which models of several origins may have different numbers.
    """

    def together(of: Callable[[Sample], Mapping[str, Floats]]) -> dict[str, Floats]:
        return {name: np.concatenate([of(part)[name] for part in parts]) for name in of(parts[0])}

    return replace(
        parts[0],
        frame=pd.concat([part.frame for part in parts], ignore_index=True),
        raw=together(lambda part: part.raw),
        calibrated=together(lambda part: part.calibrated),
        vectors={},
    )


def _as_sample(name: str, found: PredictedSample, predictors: Mapping[str, Predictor]) -> Sample:
    targets = {one: predictor.target for one, predictor in predictors.items()}
    raw = {one: members.mean(axis=1) for one, members in found.members.items()}
    state = states_in(found.frame)
    calibrated = {
        one: calibrated_mean(members, predictors[one].calibration, targets[one], state)
        for one, members in found.members.items()
    }
    return Sample(
        name,
        found.frame,
        raw={one: targets[one].pd(values) for one, values in raw.items()},
        calibrated={one: targets[one].pd(values) for one, values in calibrated.items()},
        vectors={one: (raw[one], calibrated[one]) for one in raw if targets[one].outputs > 1},
        horizon_months=next(iter(targets.values())).horizon_months,
    )


def prediction_rows(part: Sample, artefact: Artefact, fold: str) -> pd.DataFrame:
    """Return the rows of ``predictions``: one for each predictor and row of the sample."""
    rows = part.frame.assign(
        model_name=artefact.name,
        model_version=artefact.version,
        fold=fold,
        role=part.role,
        label=part.label.astype(np.int32),
        weight=part.weight,
    )
    return pd.concat([rows.assign(**_said(part, name)) for name in part.raw], ignore_index=True)


def _said(part: Sample, predictor: str) -> dict[str, Any]:
    """Return the columns of what a predictor said of each row."""
    vectors = part.vectors.get(predictor)
    none = [None] * len(part.frame)
    return {
        "predictor": predictor,
        "pd_raw": part.raw[predictor],
        "pd": part.calibrated[predictor],
        "outputs_raw": none if vectors is None else vectors[0].tolist(),
        "outputs": none if vectors is None else vectors[1].tolist(),
    }
