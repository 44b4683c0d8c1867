import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from loanbook.models.calibration import Calibration, logit, sigmoid
from loanbook.models.calibration_by_state import calibration_by_state
from loanbook.models.calibration_choice import choose_calibration
from loanbook.models.calibration_rows import CalibrationRows
from loanbook.models.heads import head
from loanbook.models.inputs.rows import states_of
from loanbook.models.inputs.spec import CategoricalInput, InputSpec
from loanbook.models.together import Together
from loanbook.settings.train import CalibrationSettings, TrainSettings
from loanbook.training.snapshot.read import Snapshot

AUTO = CalibrationSettings()


def rows_of(*parts: tuple[str, int, float], seed: int = 3) -> tuple[CalibrationRows, Any]:
    """Rows of loans by state, their number and what their PDs are off by, in logits; a row a loan."""
    rng = np.random.default_rng(seed)
    state = np.repeat([name for name, _, _ in parts], [count for _, count, _ in parts])
    off = np.repeat([value for _, _, value in parts], [count for _, count, _ in parts])
    raw = sigmoid(rng.normal(-1.5, 1, len(state)))
    label = (rng.random(len(state)) < sigmoid(logit(raw) + off)).astype(np.float64)
    month = 24_000 + rng.integers(0, 12, len(state))
    together = Together(np.arange(len(state)), month.astype(np.int64), 12)
    return CalibrationRows(raw, label, np.ones(len(state)), together), state


def test_states_with_enough_defaulting_loans_have_their_own_and_the_rest_share_one() -> None:
    rows, state = rows_of(
        ("current", 3000, 0.0), ("dpd30", 2000, 1.0), ("dpd60", 60, 1.0), ("inactive", 400, -1.0)
    )
    found = calibration_by_state(rows, state, AUTO, min_defaults=60)
    assert set(found.by_state) == {"current", "dpd30"}
    for name in ("current", "dpd30"):
        assert found.by_state[name] == choose_calibration(rows.where(state == name), AUTO, 60)
    shared = choose_calibration(rows.where(np.isin(state, ["dpd60", "inactive"])), AUTO, 60)
    assert found.model_copy(update={"by_state": {}}) == shared
    assert found.by_state["dpd30"].intercept == pytest.approx(1.0, abs=0.3)
    calibrated = found.apply_by_state(rows.pd, state)
    np.testing.assert_array_equal(
        calibrated[state == "dpd30"], found.by_state["dpd30"].apply(rows.pd[state == "dpd30"])
    )
    np.testing.assert_array_equal(calibrated[state == "dpd60"], shared.apply(rows.pd[state == "dpd60"]))


def test_a_rest_with_too_few_has_the_calibration_of_all_rows() -> None:
    rows, state = rows_of(("current", 3000, 0.0), ("dpd60", 40, 1.0))
    found = calibration_by_state(rows, state, AUTO, min_defaults=100)
    assert set(found.by_state) == {"current"}
    assert found.model_copy(update={"by_state": {}}) == choose_calibration(rows, AUTO, 100)
    assert not found.uncalibrated
    few = calibration_by_state(rows, state, AUTO, min_defaults=10_000)
    assert few.uncalibrated
    assert not few.by_state


def test_a_wanted_mean_is_that_of_all_rows_together() -> None:
    rows, state = rows_of(("current", 3000, 0.0), ("dpd30", 2000, 1.0))
    wanted = CalibrationSettings(central_tendency=0.1)
    found = calibration_by_state(rows, state, wanted, min_defaults=30)
    assert found.apply_by_state(rows.pd, state).mean() == pytest.approx(0.1, abs=1e-6)
    shifts = {one.shift for one in (found, *found.by_state.values())}
    assert len(shifts) == 1
    assert shifts != {0.0}
    np.testing.assert_allclose(
        found.apply_by_state(rows.pd, state),
        sigmoid(
            logit(calibration_by_state(rows, state, AUTO, 30).apply_by_state(rows.pd, state)) + found.shift
        ),
    )


def test_an_artefacts_json_keeps_the_parts_and_its_words_name_them() -> None:
    own = Calibration(method="intercept", intercept=0.5, reason="as asked for")
    both = Calibration(method="none", reason="as asked for", by_state={"dpd30": own})
    assert Calibration.model_validate_json(both.model_dump_json()) == both
    assert both.in_words() == "none: as asked for; dpd30: intercept +0.500: as asked for"
    assert both.id != Calibration(method="none", reason="as asked for").id


def test_a_state_that_no_input_tells_has_none_of_its_own_so_that_scoring_does_as_judging(
    tmp_path: Path,
) -> None:
    judged, state = rows_of(
        ("current", 3000, 0.0), ("dpd30", 2000, 1.0), ("reo", 2000, 2.0), ("unknown", 2000, -1.0)
    )
    told = CategoricalInput(name="state", expression="state", vocabulary=("current", "dpd30"))
    spec = InputSpec(numeric=(), categorical=(told,))
    (tmp_path / "spec.json").write_text(spec.model_dump_json())
    manifest = {"samples": {}, "train": {}, "spec": "", "targets": ["next_state"]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    codes = np.array([("current", "dpd30").index(one) + 1 if one in told.vocabulary else 0 for one in state])
    frame = {"state": state, "label": judged.label, "weight": 1.0, "next_state": 0, told.column: codes}
    rows = Snapshot(tmp_path).rows_of(pd.DataFrame(frame))
    raw = np.column_stack([judged.pd, np.zeros((len(state), 10))])
    target = head("transition")
    found = target.calibrate(raw, rows, judged.together, TrainSettings())
    assert set(found.by_state) == {"current", "dpd30"}
    scored = states_of(spec, rows.codes, len(rows))
    assert set(scored[state == "reo"]) == {"unknown"}
    np.testing.assert_array_equal(target.calibrated(raw, found, scored), target.calibrated(raw, found, state))
