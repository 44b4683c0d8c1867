"""What a training snapshot is asked for by: all that its rows follow from, and the name made of that."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from loanbook.models.head import Head
from loanbook.models.inputs.spec import Candidate, NumericInput
from loanbook.settings.train import TrainSettings, settings_of_rows


@dataclass(frozen=True)
class SnapshotRequest:
    """What a snapshot is made of; the same request gives the same snapshot.

    Args:
        source: of the rows.
        tables: name to version of the tables read.
        kind: of the data: catalogue, default definition and knowledge of the features, period and sampling.
        origin: which of the rolling origins: 0 the most recent, 1 the one before.
    """

    source: str
    head: Head
    candidates: Sequence[Candidate]
    tables: dict[str, int]
    kind: dict[str, Any]
    settings: TrainSettings
    workers: int
    origin: int = 0

    @property
    def snapshot_id(self) -> str:
        """Return the folder's name: head and 12 hex digits over the request."""
        content = {
            **self.describe(),
            "head": asdict(self.head),
            "candidates": [item.model_dump() for item in self.candidates],
            "settings": self.settings.model_dump(mode="json", include=settings_of_rows()),
            "least_groups": max(self.settings.row_groups, 4 * self.workers),
            "workers": self.workers if self.settings.row_groups % self.workers else 1,
            "origin": self.origin,
            "told_of_numbers": sorted(NumericInput.model_fields),  # a spec of less would serve no longer
        }
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return f"{self.head.name}-{digest[:12]}"

    def describe(self) -> dict[str, Any]:
        """Return source, label and lineage, for manifests."""
        return {
            "source": self.source, "label": self.head.label, "targets": list(self.head.target_columns),
            "tables": self.tables, **self.kind,
        }  # fmt: skip
