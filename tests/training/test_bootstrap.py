from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from loanbook.errors import InputError
from loanbook.evaluation.findings import _bootstrap
from loanbook.models.heads import head
from loanbook.settings.choice import Choice
from loanbook.settings.model import ModelSettings
from loanbook.settings.settings import load_settings
from loanbook.settings.train import TrainSettings
from loanbook.training.fit.alone import Alone
from loanbook.training.fit.bootstrap import times_drawn
from loanbook.training.fit.request import TrainRequest
from tests.models.specs import SPEC, some_inputs

# The module's own filters do not hold under pytest, which resets them for every test.
pytestmark = [pytest.mark.train, pytest.mark.filterwarnings("ignore::FutureWarning")]

DEFAULT = head("default_12m")
GROUPS, ROWS = 6, 50


def borrowers(count: int) -> Any:
    return np.array([f"B{number}" for number in range(count)], object)


def test_borrowers_are_drawn_as_often_as_with_replacement() -> None:
    drawn = times_drawn(borrowers(100_000), seed=17)
    poisson = np.exp(-1) / np.array([1, 1, 2, 6, 24])
    np.testing.assert_allclose(np.bincount(drawn.astype(int))[:5] / 100_000, poisson, atol=0.005)
    assert drawn.mean() == pytest.approx(1, abs=0.02)
    other = times_drawn(borrowers(100_000), seed=18)
    assert abs(np.corrcoef(drawn, other)[0, 1]) < 0.02


def test_all_rows_of_a_borrower_are_drawn_alike_whatever_stands_beside_them() -> None:
    each = dict(zip(borrowers(300), times_drawn(borrowers(300), seed=3), strict=True))
    rows = np.random.default_rng(1).choice(borrowers(300), 1000)
    np.testing.assert_array_equal(times_drawn(rows, seed=3), [each[name] for name in rows])


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Return files of a snapshot, of one row group each; ``x`` numbers the rows, a borrower has ten."""
    rng, found = np.random.default_rng(5), []
    for group in range(GROUPS):
        row = group * ROWS + np.arange(ROWS)
        frame = pd.DataFrame({"x": row, "label": rng.integers(0, 2, ROWS), "weight": rng.uniform(1, 4, ROWS)})
        folder = tmp_path / f"role=train/row_group={group}"
        folder.mkdir(parents=True)
        found.append(folder / "part.parquet")
        frame.astype(np.float32).assign(borrower=[f"B{one % 30}" for one in row]).to_parquet(found[-1])
    return found


def weights(files: list[Path], rank: int = 0, size: int = 1, seed: int = 1, **given: Any) -> dict[int, float]:
    """Return the weight of each row that a rank reads."""
    from loanbook.training.fit.feed import RankRows, feed_of
    from loanbook.training.fit.reader import Columns

    own, kept = files[rank::size], given.pop("kept", True)
    rows = RankRows(
        own,
        files[0].parents[2],
        Columns(("x",), (), ("label",)),
        rows=len(own) * ROWS,
        batch=64,
        seed=seed,
        rank=rank,
        **given,
    )
    with feed_of(rows, rows.mib if kept else 0).epoch(1) as batches:
        parts = [(int(x), float(one)) for numeric, _, _, w in batches for (x,), one in zip(numeric, w)]  # noqa: B905
    assert len(parts) == len(own) * ROWS
    return dict(parts)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "streamed"])
def test_a_row_weighs_as_often_as_its_borrower_is_drawn(files: list[Path], kept: bool) -> None:
    frame = pd.concat([pd.read_parquet(file, partitioning=None) for file in files])
    times = times_drawn(frame["borrower"].to_numpy(object), seed=1)
    assert {0, 1, 2} <= set(times)
    for bootstrap, expected in ((True, frame["weight"] * times), (False, frame["weight"])):
        found = weights(files, bootstrap=bootstrap, kept=kept)
        np.testing.assert_array_equal([found[row] for row in range(GROUPS * ROWS)], expected)


def test_the_draw_is_the_networks_own_and_the_same_of_any_number_of_ranks(files: list[Path]) -> None:
    alone = weights(files, bootstrap=True)
    shared = [weights(files, rank, 2, bootstrap=True) for rank in (0, 1)]
    assert {**shared[0], **shared[1]} == alone
    assert weights(files, seed=2, bootstrap=True) != alone


def trained(batches: list[tuple[Any, Any]], tmp_path: Path) -> list[Any]:
    """Return the weights of a network after an epoch over rows of ``some_inputs``, taken so often each."""
    import tensorflow as tf

    from loanbook.models.network import build_network
    from loanbook.training.fit.loop import Loop

    choice = Choice.model_validate({"name": "mlp", "units": [4]})
    model = ModelSettings(
        backbone=choice, optimizer="sgd", momentum=0.0, learning_rate=0.1, batch_size=len(batches[0][0])
    )
    tf.keras.backend.clear_session()
    network = build_network(SPEC, choice, DEFAULT, rate=0.3, seed=7)
    network.scores.trainable_weights[-2].assign(tf.ones((4, 1)))
    rows = sum(len(which) for which, _ in batches)
    loop = Loop(network, DEFAULT, model, Alone(), rows=rows, checkpoint=tmp_path / "none", seed=1)
    (numeric, codes), label = some_inputs(40), (np.arange(40) % 3 == 0).astype(np.float32)[:, None]

    @contextmanager
    def epoch(number: int) -> Any:
        given = ((numeric[one], codes[one], label[one], weight) for one, weight in batches)
        kinds = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in (numeric, codes, label))
        yield tf.data.Dataset.from_generator(
            lambda: given, output_signature=(*kinds, tf.TensorSpec((None,), tf.float32))
        )

    assert np.isfinite(loop.epoch(epoch, 1))
    return [weight.numpy() for weight in network.kept]


def test_a_weight_is_as_good_as_the_row_so_often(tmp_path: Path) -> None:
    times = times_drawn(borrowers(40), seed=9)
    repeated = np.repeat(np.arange(40), times.astype(int))
    weighted = trained([(np.arange(40), times)], tmp_path)
    drawn = trained([(repeated, np.ones(len(repeated), np.float32))], tmp_path)
    plain = trained([(np.arange(40), np.ones(40, np.float32))], tmp_path)
    for one, other in zip(weighted, drawn, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert max(np.abs(one - other).max() for one, other in zip(weighted, plain, strict=True)) > 1e-3


def test_a_batch_without_a_row_that_is_drawn_has_no_gradient(tmp_path: Path) -> None:
    first = (np.arange(39), np.ones(39, np.float32))
    alone, followed = trained([first], tmp_path), trained([first, ([39], np.zeros(1, np.float32))], tmp_path)
    for one, other in zip(alone, followed, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("members", "fits", "drawn"), [(2, 1, True), (1, 2, True), (1, 1, False)])
def test_a_network_is_drawn_for_where_there_is_another(members: int, fits: int, drawn: bool) -> None:
    from loanbook.training.fit.member import rows_of_rank

    model = ModelSettings.model_validate({"backbone": {"name": "mlp"}, "head": "default_12m"})
    train = TrainSettings(members=3, fits=fits, bootstrap=True)  # of which few defaults may leave one
    request = TrainRequest(Path(), Path(), model, train, rate=0.05, trainable=True, resume=False)
    snapshot = SimpleNamespace(
        fold=SimpleNamespace(members=["a member"] * members),
        folder=Path(),
        spec=SPEC,
        targets=["label"],
        training_files=lambda member, workers: [Path("file")],
        rows_fitted=lambda member, workers: ROWS,
    )
    found = [rows_of_rank(request, cast(Any, snapshot), Alone(), number) for number in range(members * fits)]
    assert [one.bootstrap for one in found] == [drawn] * members * fits
    assert len({one.seed for one in found}) == members * fits


def test_a_bootstrap_of_one_network_is_refused() -> None:
    with pytest.raises(InputError, match="bootstrap needs networks to take the mean of: set members or fits"):
        load_settings("local", ["train.bootstrap=true", "train.members=1"])
    assert load_settings("local", ["train.bootstrap=true", "train.members=1", "train.fits=2"]).train.bootstrap


def test_the_page_tells_of_a_bootstrap() -> None:
    assert _bootstrap({"bootstrap": True, "epochs": [3, 4]})["Bootstrap"].startswith("each of 2 networks")
    assert _bootstrap({"bootstrap": False, "epochs": [3]}) == _bootstrap({"epochs": [3]}) == {}
