"""The training snapshot on disk: immutable Parquet by role, with its spec, splits and manifest."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from loanbook.errors import InputError
from loanbook.models.inputs.rows import Rows, matrices
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.section import validated
from loanbook.tables.columns import LOAN_MONTH
from loanbook.warehouse.storage import Storage, is_complete, read_json

KEPT = (*LOAN_MONTH, "state", "default_status", "upb")
JUDGED = ("label", "weight")  # columns that every head has; its own targets stand beside them


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
        return self._json("manifest.json", "roles", "train", "spec", "targets")

    @cached_property
    def spec(self) -> InputSpec:
        """Return the inputs that its columns were prepared for."""
        return validated(InputSpec, self._json("spec.json"), f"spec {self.folder / 'spec.json'}")

    @cached_property
    def splits(self) -> dict[str, Any]:
        """Return the folds and the one that the roles belong to."""
        return self._json("splits.json", "folds", "trained_fold")

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

    def role_frame(self, role: str, limit: int | None = None) -> pd.DataFrame:
        """Return a role's rows in the random order in which they were written, the same each time.

        Args:
            role: train, tune, calibrate, calibrate_check or test.
            limit: stop after the file that reaches this many rows: a random sample of them.
        """
        files = sorted(self.role_folder(role).rglob("*.parquet"))
        tables: list[pa.Table] = []
        for file in files:
            if limit is not None and sum(table.num_rows for table in tables) >= limit:
                break
            tables.append(pq.read_table(file, partitioning=None))
        if not tables:
            columns = [*KEPT, *JUDGED, *self.targets, *self.spec.numeric_columns, *self.spec.code_columns]
            return pd.DataFrame(columns=list(dict.fromkeys(columns)))
        frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        return frame

    def rows(self, role: str, limit: int | None = None) -> Rows:
        """Return a role's rows as a model takes them, in the order of ``role_frame``."""
        return self.rows_of(self.role_frame(role, limit))

    def rows_of(self, frame: pd.DataFrame) -> Rows:
        """Return rows of ``role_frame`` as a model takes them."""
        targets, label, weight = (
            frame[columns].to_numpy(np.float32) for columns in (self.targets, "label", "weight")
        )
        return Rows(*matrices(frame, self.spec), targets, label, weight)


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
