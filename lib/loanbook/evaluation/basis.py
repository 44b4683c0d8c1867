"""What a model is judged on, and what may be said of it: a level, or only how it ranks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from loanbook.book.tape_kind import TapeKind
from loanbook.evaluation.assess import Evaluation
from loanbook.evaluation.measures import INSUFFICIENT
from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.rank_only import why_rank_only

LEVELS = frozenset(
    {
        "expected_default_rate", "observed_default_rate", "calibration_slope", "calibration_intercept",
        "calibration_in_the_large", "accuracy", "precision", "recall", "f1", "kl_to_truth", "gap_closed",
        "mean_to_truth",
    }
)  # fmt: skip

OF_CURVES = ("brier_", "cif_", "aalen_johansen_", "kl_to_truth_", "mean_to_truth_")


@dataclass(frozen=True)
class Basis:
    """What is judged and on which rows.

    Args:
        event: what the PD is of, in words.
        of_default: whether it is default, which a loan in default has already.
        held_out: months after those trained on, or loans of the same months.
        rank_only: why the PDs say no level, None where they do.
        central_tendency: mean that the PDs were given because it was asked for, whatever came about.
    """

    event: str = "default within 12 months"
    of_default: bool = True
    held_out: str = "months"
    rank_only: str | None = None
    central_tendency: float | None = None

    @property
    def test(self) -> str:
        """Return in words what the test rows are."""
        return "out of time" if self.held_out == "months" else "on held-out loans"


OF_DEFAULT = Basis()


def basis_of(artefact: Artefact) -> Basis:
    """Return what a model is judged on."""
    splits, inputs = artefact.json("splits.json"), artefact.json("inputs.json")
    folds: dict[str, dict[str, Any]] = {fold["name"]: fold for fold in splits["folds"]}
    kind = TapeKind(source=inputs["source"], sampling=inputs.get("sampling") or "population")
    target = artefact.head
    return Basis(
        event=target.event,
        of_default=not target.is_of_tape,
        held_out=folds.get(splits["trained_fold"], {}).get("held_out", "months"),
        rank_only=why_rank_only(artefact, kind),
        central_tendency=artefact.calibration().central_tendency,
    )


def on(basis: Basis, rows: Iterable[Evaluation]) -> list[Evaluation]:
    """Return evaluations that name held-out loans, and state no level where PDs only rank."""
    return [_on(basis, row) for row in rows]


def _on(basis: Basis, row: Evaluation) -> Evaluation:
    if row.method == INSUFFICIENT:
        return row
    if basis.rank_only and (row.metric in LEVELS or row.metric.startswith(OF_CURVES)):
        return replace(row, estimate=None, low=None, high=None, method=f"rank only: {basis.rank_only}")
    if basis.held_out == "loans" and row.sample == "test":
        return replace(row, method=f"{row.method}; {basis.test}, no later time")
    return row
