"""What a network is taught by another model: PDs of the rows that fit it, beside what came about.

Hinton, Vinyals and Dean (2015), *Distilling the Knowledge in a Neural Network*. A row's PD is of a teacher
that was not fitted on it; nor is any teacher of a member shown a row that stops and judges that member.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq

from loanbook.models.artefact.predictor import Predictor
from loanbook.models.baselines import baseline
from loanbook.models.calibration import Calibration
from loanbook.models.head import Floats, Head
from loanbook.models.inputs.rows import Evidence, Rows
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.choice import Choice
from loanbook.training.snapshot.fold import Member
from loanbook.training.snapshot.read import Snapshot
from loanbook.training.snapshot.row_groups import files_of

logger = logging.getLogger(__name__)

PARTS = 5  # of the borrowers, where the rows that fit a member are of one role

Taught = Mapping[Path, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class _Given:
    """Rows in memory as the evidence of a baseline."""

    spec: InputSpec
    by_role: Mapping[str, Rows]

    def rows(self, role: str, limit: int | None = None) -> Rows:
        """Return a role's rows, at most ``limit`` of them, drawn at random."""
        own = self.by_role[role]
        if limit is None or len(own) <= limit:
            return own
        return own.taken(np.random.default_rng(0).permutation(len(own))[:limit])


def taught_targets(
    snapshot: Snapshot, member: Member, target: Head, teacher: Choice, weight: float
) -> Taught:
    """Return the targets of a member by file of its training rows: (1 - weight) label + weight PD.

    The rows that fit the member are in parts: those of the snapshot or, of a single network, of its
    borrowers. A teacher of each is fitted on the others, and stopped by the part of which it then says the
    PDs. Were the teachers those of the snapshot's own members, each but one would know the labels that this
    member is stopped, calibrated and compared by. Where the others hold one class, nothing can be learnt
    from them, and labels alone teach the part.

    Args:
        snapshot: the rows.
        member: what fits it.
        target: the head, of an event that comes about or does not.
        teacher: the baseline, with its settings.
        weight: of the teacher.
    """
    frames = {role: snapshot.role_frame(role) for role in member.train}
    rows = snapshot.rows_of(pd.concat(frames.values(), ignore_index=True))
    part, said = _parts(frames), np.empty(len(rows))
    for number in np.unique(part):
        own = part == number
        if len(np.unique(rows.label[~own])) < 2:
            said[own] = rows.label[own]
            logger.info("part %d is taught by its labels alone: those of the others are all alike", number)
            continue
        evidence = _Given(snapshot.spec, {"train": rows.taken(~own), "tune": rows.taken(own)})
        said[own] = _said(teacher, evidence, target)
        logger.info("the teacher %s has learnt without part %d", teacher.name, number)
    mixed = ((1 - weight) * rows.label + weight * said).astype(np.float32)
    files = [file for role in member.train for file in files_of(snapshot.role_folder(role))]
    ends = np.cumsum([pq.read_metadata(file).num_rows for file in files])
    return dict(zip(files, np.split(mixed, ends[:-1]), strict=True))


def _parts(frames: Mapping[str, pd.DataFrame]) -> npt.NDArray[np.int64]:
    """Return the part of each row, of all frames one after another: its role's, or its borrower's."""
    if len(frames) > 1:
        return np.repeat(np.arange(len(frames)), [len(frame) for frame in frames.values()])
    (frame,) = frames.values()
    hashed = pd.util.hash_array(frame["borrower"].to_numpy(object), categorize=False)
    return (hashed % PARTS).astype(np.int64)


def _said(teacher: Choice, evidence: Evidence, target: Head) -> Floats:
    module, settings = baseline(teacher)
    fitted = module.fit(evidence, target, settings)
    predictor = Predictor(fitted.network, evidence.spec, Calibration(method="none"), target)
    return target.pd(predictor.predict(*evidence.rows("tune").inputs)[0])
