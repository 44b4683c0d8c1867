"""What predictors say of a snapshot's rows; out of fold, each row's member is the one that never saw it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from loanbook.models.artefact.predictor import Predictor
from loanbook.models.inputs.rows import matrices
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.inputs.support import OUT_OF_SUPPORT, out_of_support, says_support
from loanbook.training.snapshot.fold import OUT_OF_FOLD
from loanbook.training.snapshot.read import JUDGED, KEPT, Snapshot

Floats = npt.NDArray[np.float64]

AGE, TERM = "months_on_book", "remaining_term"  # in the catalogue of features


@dataclass(frozen=True)
class PredictedSample:
    """Rows of a sample, and what each predictor's members say of them.

    Args:
        frame: key, borrower, state, default status, upb, label, targets and weight of each row; its ``age``,
            months on book, and ``remaining_term``, null where they are no input of the snapshot; the
            ``member`` that predicted it, -1 where all did; and whether it is out of support, where the spec
            says what that is.
        members: raw probabilities by predictor, of shape (rows, members, outputs); out of fold there is one
            member for each row, the one that never saw it.
    """

    frame: pd.DataFrame
    members: Mapping[str, Floats]


def predicted_rows(
    snapshot: Snapshot, sample: str, predictors: Mapping[str, Predictor], limit: int | None = None
) -> PredictedSample:
    """Return a sample's rows, without their inputs, and what each predictor says of them.

    Args:
        snapshot: the rows.
        sample: one of the fold's.
        predictors: by name, each of as many members as the fold has.
        limit: of the rows, at random; None: all.
    """
    roles, tuned = snapshot.fold.samples[sample], [member.tune for member in snapshot.fold.members]
    frames, found = [], []
    for role in roles:
        frame = snapshot.role_frame(role, None if limit is None else -(-limit // len(roles)), judged=True)
        member = tuned.index(role) if sample == OUT_OF_FOLD else None
        inputs = matrices(frame, snapshot.spec)
        found.append({name: one.members(*inputs, member) for name, one in predictors.items()})
        narrow = frame[list(dict.fromkeys([*KEPT, *JUDGED, *snapshot.targets]))]
        beyond = (
            {OUT_OF_SUPPORT: out_of_support(inputs[0], snapshot.spec)} if says_support(snapshot.spec) else {}
        )
        by = -1 if member is None else member
        known = {name: number_of(frame, snapshot.spec, item) for name, item in (("age", AGE), (TERM, TERM))}
        frames.append(narrow.assign(**known, member=by, **beyond))
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    return PredictedSample(
        pd.concat(filled, ignore_index=True) if len(filled) > 1 else filled[0],
        {name: np.concatenate([part[name] for part in found]) for name in predictors},
    )


def number_of(frame: pd.DataFrame, spec: InputSpec, feature: str) -> Floats:
    """Return a feature of each row, NaN where it is unknown or no input of the spec."""
    found = next((item.column for item in spec.numeric if item.expression == feature), None)
    return np.full(len(frame), np.nan) if found is None else frame[found].to_numpy(np.float64)
