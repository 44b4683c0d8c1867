from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from loanbook.errors import InputError
from loanbook.evaluation.findings import _pruning as told
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.backbones import backbone
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from loanbook.models.inputs.rows import Rows
from loanbook.models.pruning import pruned
from loanbook.settings.choice import Choice
from loanbook.settings.model import ModelSettings
from loanbook.settings.train import TrainSettings
from loanbook.training.fit.request import TrainRequest
from tests.models.specs import SPEC, some_inputs
from tests.models.vector_head import HEAD as NEXT_MOVE

pytestmark = pytest.mark.train

DEFAULT = head("default_12m")
SUBMODELS, ROWS = 5, 200


def some_losses(seed: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.gamma(1.0, rng.uniform(0.3, 1.2, SUBMODELS), (ROWS, SUBMODELS)), rng.uniform(1, 3, ROWS)


def loss_of(which: Any, losses: Any, weight: Any) -> float:
    mean = np.exp(-losses[:, list(which)]).mean(axis=1)
    return float((-np.log(mean) * weight).sum() / weight.sum())


def test_each_submodel_that_is_added_leaves_the_mean_the_least_loss() -> None:
    losses, weight = some_losses()
    order: list[int] = []
    for count in range(1, SUBMODELS + 1):
        left = [one for one in range(SUBMODELS) if one not in order]
        order.append(min(left, key=lambda one: loss_of([*order, one], losses, weight)))
        found = pruned(losses, weight, count)
        assert list(found.kept) == sorted(order)
        assert found.loss_of_kept == pytest.approx(loss_of(order, losses, weight))
        assert found.loss_of_all == pytest.approx(loss_of(range(SUBMODELS), losses, weight))
    assert order != sorted(order)


def test_the_best_are_as_many_as_lower_the_loss() -> None:
    losses, weight = some_losses()
    losses[:, 1] += 5  # nothing is gained by it
    found = pruned(losses, weight, "best")
    assert 1 not in found.kept
    assert 1 < len(found.kept) < SUBMODELS
    assert found.loss_of_kept < min(found.loss_of_all, loss_of(found.kept[:1], losses, weight))
    more = pruned(losses, weight, len(found.kept) + 1)
    assert more.loss_of_kept >= found.loss_of_kept
    alike = pruned(np.ones((9, 4)), np.ones(9), "best")
    assert list(alike.kept) == [0]  # none of the others lowers it


def test_what_is_very_unlikely_has_a_loss_all_the_same() -> None:
    found = pruned(np.array([[2000.0, 2001.0]]), np.ones(1), 1)
    assert list(found.kept) == [0]
    assert found.loss_of_kept == pytest.approx(2000)


@pytest.mark.parametrize(
    ("sharing", "target"), [("mini", DEFAULT), ("full", NEXT_MOVE)], ids=["mini", "full"]
)
def test_a_pruned_network_is_the_mean_of_what_it_keeps(
    sharing: str, target: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from loanbook.models.artefact.export import load_weights, onnx_bytes, weight_bytes
    from loanbook.models.submodels import submodel_losses
    from loanbook.training.fit.member import _exported, _pruning, network_of

    monkeypatch.setattr(TrainRequest, "target", target)  # else a snapshot's manifest would complete it
    rng, inputs = np.random.default_rng(8), some_inputs(ROWS)
    label = (inputs[1][:, 0] == 2).astype(np.float32)
    tune = Rows(*inputs, label[:, None], label, rng.uniform(1, 2, ROWS).astype(np.float32))
    snapshot = cast(Any, SimpleNamespace(spec=SPEC, rows_of=lambda frame: tune))
    given = request(keep=2, sharing=sharing)
    whole = network_of(given, snapshot, 0)
    for weight in whole.scores.trainable_weights:
        weight.assign(rng.normal(scale=0.3, size=weight.shape))
    losses = submodel_losses(whole, target, tune)
    assert losses.shape == (ROWS, SUBMODELS)

    pruning = _pruning(given, whole, snapshot, pd.DataFrame())
    assert pruning is not None
    first = min(range(SUBMODELS), key=lambda one: loss_of([one], losses, tune.weight))
    pairs = [pair for pair in combinations(range(SUBMODELS), 2) if first in pair]
    assert tuple(pruning.kept) == min(pairs, key=lambda pair: loss_of(pair, losses, tune.weight))

    small = _exported(given, snapshot, 0, whole, pruning)
    scores = whole.scores(list(inputs)).numpy()[:, list(pruning.kept)]
    np.testing.assert_allclose(small.scores(list(inputs)).numpy(), scores, rtol=1e-4, atol=1e-4)
    each = [target.probabilities(scores[:, place]) for place in range(2)]
    content = onnx_bytes(small.probabilities)
    found = Predictor(content, SPEC, Calibration(method="none"), target).predict(*inputs)[0]
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-5)
    assert len(content) < len(onnx_bytes(whole.probabilities))
    assert small.parameters < whole.parameters
    again = network_of(request(submodels=2, sharing=sharing), snapshot, 0)
    load_weights(again, weight_bytes(small))
    np.testing.assert_array_equal(again.scores(list(inputs)).numpy(), small.scores(list(inputs)).numpy())


def request(**own: Any) -> TrainRequest:
    choice = {"name": "tabm", "submodels": SUBMODELS, "units": [6, 4], **own}
    model = ModelSettings.model_validate({"backbone": choice, "head": "default_12m"})
    return TrainRequest(
        Path(), Path(), model, TrainSettings(members=1), rate=0.1, trainable=True, resume=False
    )


def test_without_keep_all_stay() -> None:
    from loanbook.training.fit.member import _exported, _pruning

    nobody: Any = None
    given = request()
    assert _pruning(given, nobody, nobody, nobody) is None
    network: Any = object()
    assert _exported(given, nobody, 0, network, None) is network


@pytest.mark.parametrize(
    ("keep", "words"),
    [(6, "keep 6 of 5 submodels"), (0, "greater than or equal to 1"), (True, "valid integer")],
)
def test_more_than_there_are_cannot_be_kept(keep: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        backbone(Choice.model_validate({"name": "tabm", "submodels": 5, "keep": keep}))


def test_the_page_says_what_was_kept() -> None:
    found = {"kept": [1, 4], "submodels": 5, "loss_of_all": 0.25, "loss_of_kept": 0.24}
    assert told({"pruning": [found]})["Submodels kept"].startswith("2 of 5 (0.25000, 0.24000): by network")
    assert told({"pruning": []}) == told({}) == {}
