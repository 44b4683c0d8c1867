"""What a model's training says of its level, from the rows that no member was fitted on."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest

from loanbook.evaluation.basis import Basis
from loanbook.evaluation.levels import sample_levels
from loanbook.evaluation.sample import Sample
from loanbook.models.calibration import Calibration, sigmoid
from loanbook.models.heads import head
from loanbook.models.level import Level
from loanbook.training.fit.trained import Trained
from loanbook.training.judgement import judged_levels, status_of
from loanbook.training.snapshot.fold import Fold
from loanbook.training.snapshot.predicted import PredictedSample
from tests.evaluation.rows import frame

NONE = Calibration(method="none")


@dataclass(frozen=True)
class Evidence:
    """Of a snapshot what is asked for."""

    held_out: Literal["months", "loans"] = "loans"
    manifest: dict[str, Any] = field(default_factory=dict)

    @property
    def fold(self) -> Fold:
        empty = dict.fromkeys(("development_from", "development_to", "test_from", "test_to"))
        return Fold(name="fold0", shares={"part_0": 0.5, "part_1": 0.5}, held_out=self.held_out, **empty)


def said(loans: int, seed: int, times: float) -> PredictedSample:
    """Rows whose PDs have the odds of the truth so many times as high: of all members alike."""
    rows, odds = frame(loans, seed)
    of = {"model": sigmoid(odds + np.log(times)), "logistic": sigmoid(odds)}
    return PredictedSample(rows, {name: np.repeat(pd[:, None, None], 2, axis=1) for name, pd in of.items()})


def found(
    evidence: Evidence,
    times: float,
    method: str = "trained",
    min_defaults: int = 30,
    calibration: Calibration = NONE,
) -> dict[str, Level]:
    judged = {"test": said(900, 1, times), "out_of_fold": said(900, 2, 1.0)}
    both = {"model": calibration, "logistic": calibration}
    target = head("default_12m")
    return judged_levels(evidence, judged, both, target, method, min_defaults)  # type: ignore[arg-type]


def test_the_level_of_each_predictor_is_judged_on_the_test_rows() -> None:
    levels = found(Evidence(), 1.5)
    assert {name: level.is_off for name, level in levels.items()} == {"model": True, "logistic": False}
    assert not any(level.is_off for level in found(Evidence(), 1.0).values())
    assert not any(level.is_off for level in found(Evidence(held_out="months"), 1.5).values())
    assert found(Evidence(manifest={"sampling": "case_control"}), 1.5) == {}
    assert found(Evidence(), 1.5, "prior") == {}
    assert found(Evidence(), 1.5, min_defaults=900) == {}


def test_no_level_is_claimed_of_pds_that_were_given_a_mean() -> None:
    double = float(np.log(2))
    assert found(Evidence(), 1.0, calibration=Calibration(method="none", shift=double))["model"].is_off
    asked = Calibration(method="none", shift=double, central_tendency=0.25)
    assert found(Evidence(), 1.0, calibration=asked) == {}


@pytest.mark.parametrize(
    ("sampling", "min_defaults"), [("population", 30), ("case_control", 30), ("population", 900)]
)
def test_training_and_evaluation_claim_the_same_levels(sampling: str, min_defaults: int) -> None:
    rank_only = "they only rank" if sampling == "case_control" else None
    parts = [said(900, 1, 1.5), said(900, 2, 1.0)]
    samples = [
        Sample(
            role,
            part.frame,
            {},
            {name: of.mean(axis=1)[:, 0] for name, of in part.members.items()},
            horizon_months=12,
        )
        for role, part in zip(("test", "out_of_fold"), parts, strict=True)
    ]
    basis = Basis(held_out="loans", rank_only=rank_only)
    evaluated = sample_levels(samples, basis, min_defaults)
    assert evaluated == found(Evidence(manifest={"sampling": sampling}), 1.5, min_defaults=min_defaults)
    assert bool(evaluated) == ((sampling, min_defaults) == ("population", 30))


@pytest.mark.parametrize(("method", "status"), [("trained", "off_level"), ("prior", "ok")])
def test_a_level_that_is_off_is_the_status_with_its_reason(method: str, status: str) -> None:
    counts = {"status": "ok", "rows": 9, "defaulting_loans": 40, "defaulting_borrowers": 40}
    samples = dict.fromkeys(("train", "out_of_fold", "test"), counts)
    evidence = Evidence(manifest={"samples": samples, "label_status": {}})
    trained = Trained(networks={}, weights=[], facts={"model": [{"best_epoch": 3}]})
    nothing: dict[str, Any] = {"model": {}}
    metrics = status_of(
        evidence, head("default_12m"), trained, method, {"model": NONE}, nothing,  # type: ignore[arg-type]
        found(Evidence(), 1.5, method), {},
    )  # fmt: skip
    assert metrics["status"] == status
    assert metrics["shortfalls"] == {"model": [status] if status != "ok" else []}
    assert [reason[:13] for reason in metrics["reasons"]] == (["off in level:"] if status != "ok" else [])
