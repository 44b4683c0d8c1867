"""The training snapshot on disk: immutable Parquet by role, with its spec, splits and manifest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loanbook.book.state_moves import NEXT_STATE, UNKNOWN
from loanbook.errors import InputError
from loanbook.models.inputs.rows import Rows, Words, known_states, matrices, no_inputs
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.section import validated
from loanbook.tables.columns import LOAN_MONTH
from loanbook.training.snapshot.fold import Fold, Member
from loanbook.training.snapshot.row_groups import files_of, groups_of
from loanbook.warehouse.storage import Storage, is_complete, read_json

KEPT = (*LOAN_MONTH, "state", "default_status", "upb")
JUDGED = ("borrower", "label", "weight")  # columns that every head has; its own targets stand beside them


@dataclass(frozen=True)
class Snapshot:
    """A complete snapshot folder."""

    folder: Path

    @property
    def id(self) -> str:
        """Return its name."""
        return self.folder.name

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Return what it holds and what it was made from."""
        return self._json("manifest.json", "samples", "train", "spec", "targets")

    @cached_property
    def spec(self) -> InputSpec:
        """Return the inputs that its columns were prepared for."""
        return validated(InputSpec, self._json("spec.json"), f"spec {self.folder / 'spec.json'}")

    @cached_property
    def splits(self) -> dict[str, Any]:
        """Return the folds and the one that the roles belong to."""
        return self._json("splits.json", "folds", "trained_fold")

    @cached_property
    def fold(self) -> Fold:
        """Return the fold that the roles belong to."""
        found = next(item for item in self.splits["folds"] if item["name"] == self.splits["trained_fold"])
        return validated(Fold, found, f"fold {found['name']} of {self.folder / 'splits.json'}")

    def _json(self, file: str, *keys: str) -> dict[str, Any]:
        content = read_json(self.folder / file)
        if isinstance(content, dict) and all(key in content for key in keys):
            return content
        raise InputError(
            required=f"an unaltered training snapshot in {self.folder}",
            found=f"{file} without {' and '.join(keys) or 'keys'}",
            do="restore the folder, or remove it and run train-model again",
        )

    @property
    def targets(self) -> list[str]:
        """Return the columns that the head's loss takes."""
        return list(self.manifest["targets"])

    def role_folder(self, role: str) -> Path:
        """Return the folder of a role's files; it may be absent where the role has no row."""
        return self.folder / f"role={role}"

    def training_files(self, member: Member, workers: int) -> list[Path]:
        """Return the files that a member's network is fitted on, as many for each worker, of equal rows.

        The rows of a role beyond its last whole group are in a shorter file, which is not among them.
        """
        rows, size = self._groups(member)
        whole = [
            file
            for role, count in zip(member.train, rows, strict=True)
            for file in files_of(self.role_folder(role))[: count // size]
        ]
        return whole[: groups_of(rows, size, workers)]

    def rows_fitted(self, member: Member, workers: int) -> int:
        """Return how many rows ``training_files`` hold."""
        rows, size = self._groups(member)
        return groups_of(rows, size, workers) * size

    def _groups(self, member: Member) -> tuple[list[int], int]:
        train = self.manifest["train"]
        return [train["rows_by_role"][role] for role in member.train], train["rows_of_group"]

    def role_frame(self, role: str, limit: int | None = None, *, judged: bool = False) -> pd.DataFrame:
        """Return a role's rows in the random order in which they were written, the same each time.

        Args:
            role: one of the fold's.
            limit: of them the first so many, a random sample.
            judged: only those with a label; others do nothing but train.
        """
        tables: list[pa.Table] = []
        for file in files_of(self.role_folder(role)):
            if limit is not None and sum(table.num_rows for table in tables) >= limit:
                break
            table = pq.read_table(file, partitioning=None)
            tables.append(table.filter(pc.is_valid(table["label"])) if judged else table)
        if not tables:
            columns = [*KEPT, *JUDGED, *self.targets, *self.spec.numeric_columns, *self.spec.code_columns]
            return pd.DataFrame(columns=list(dict.fromkeys(columns)))
        frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        return frame if limit is None else frame.head(limit)

    def frame(self, roles: Sequence[str], limit: int | None = None, *, judged: bool = False) -> pd.DataFrame:
        """Return the rows of some roles, of each as many as its share of ``limit``."""
        of_role = None if limit is None else -(-limit // len(roles))
        frames = [self.role_frame(role, of_role, judged=judged) for role in roles]
        with_rows = [frame for frame in frames if len(frame)]
        return pd.concat(with_rows, ignore_index=True) if len(with_rows) > 1 else (with_rows or frames)[0]

    def rows(self, roles: Sequence[str], limit: int | None = None, *, judged: bool = False) -> Rows:
        """Return the rows of some roles as a model takes them, in the order of ``frame``."""
        return self.rows_of(self.frame(roles, limit, judged=judged))

    def evidence(self, member: Member) -> "MemberEvidence":
        """Return the rows that a member, or a baseline's, is fitted on."""
        return MemberEvidence(self, member)

    def rows_of(self, frame: pd.DataFrame) -> Rows:
        """Return rows of ``role_frame`` as a model takes them; without inputs, where they are left out."""
        targets, label, weight = (
            frame[columns].to_numpy(np.float32) for columns in (self.targets, "label", "weight")
        )
        with_inputs = set(self.spec.numeric_columns) <= set(frame.columns)
        inputs = matrices(frame, self.spec) if with_inputs else no_inputs(len(frame))
        moves = frame[NEXT_STATE].to_numpy(np.int64) if NEXT_STATE in frame else None
        state = known_states(self.spec, states_in(frame))
        return Rows(*inputs, targets, label, weight, state, moves)


@dataclass(frozen=True)
class MemberEvidence:
    """What one member of a model or of a baseline is fitted on: the roles ``train`` and ``tune``."""

    snapshot: Snapshot
    member: Member

    @property
    def spec(self) -> InputSpec:
        """Return what the columns of the rows are."""
        return self.snapshot.spec

    def rows(self, role: str, limit: int | None = None) -> Rows:
        """Return the rows of ``train`` or ``tune``, at most about ``limit`` of them, drawn at random."""
        roles = {"train": self.member.train, "tune": (self.member.tune,)}[role]
        return self.snapshot.rows(roles, limit, judged=True)


def states_in(frame: pd.DataFrame) -> Words:
    """Return the state of each row of a frame."""
    return frame["state"].fillna(UNKNOWN).to_numpy(str)


def open_snapshot(storage: Storage, snapshot_id: str) -> Snapshot:
    """Return a complete snapshot.

    Raises:
        InputError: it is absent or incomplete.
    """
    folder = storage.snapshot_folder(snapshot_id)
    if not is_complete(folder):
        raise InputError(
            required=f"the training snapshot {snapshot_id} in {storage.snapshot_folder()}",
            found="an incomplete folder" if folder.exists() else "none",
            do="run train-model again: it makes the snapshot anew from the same table versions",
        )
    return Snapshot(folder)


def stamp_of(splits: dict[str, Any]) -> str:
    """Return yyyymmdd of the trained fold's last development month, or of 1970 where there is none."""
    fold = next(item for item in splits["folds"] if item["name"] == splits["trained_fold"])
    last = date.fromisoformat(fold["development_to"]) if fold["development_to"] else date(1970, 1, 1)
    return f"{last:%Y%m%d}"
