from pathlib import Path

import numpy as np
import pytest

from loanbook.training.fit.checkpoint import Progress, State, load_state, save_state


def test_state_survives_and_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "work" / "checkpoint.npz"
    assert load_state(path) is None
    progress = Progress(epoch=3, best_epoch=2, best_loss=0.1, history=[{"epoch": 3, "tune_log_loss": 0.2}])
    arrays = [np.arange(number, dtype=np.float32) for number in range(12)]
    save_state(path, State(progress, arrays, [np.array(7)], arrays[:2]))
    save_state(path, State(progress, arrays, [np.array(8)], arrays[:2]))
    state = load_state(path)
    assert state is not None
    assert state.progress == progress
    assert [array.tolist() for array in state.weights] == [array.tolist() for array in arrays]
    assert state.optimizer[0] == 8
    assert len(state.best) == 2
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.npz"]


@pytest.mark.parametrize("kept", [0, 1, 40, 300, -30])
def test_a_state_cut_short_is_none_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: int
) -> None:
    path = tmp_path / "checkpoint.npz"
    save_state(path, State(Progress(), [np.zeros(9)], [np.array(7)], []))
    path.write_bytes(path.read_bytes()[:kept])
    assert load_state(path) is None
    assert "training begins anew" in caplog.text


def test_patience() -> None:
    assert not Progress(epoch=4, best_epoch=1).stale(4)
    assert Progress(epoch=5, best_epoch=1).stale(4)
