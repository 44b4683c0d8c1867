"""Every backbone, every baseline and every head keep the contract, with each other."""

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import loanbook.models.backbones
import loanbook.models.baselines
import loanbook.models.heads
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.backbones import needed_groups
from loanbook.models.baselines import baseline
from loanbook.models.by_name import known_modules
from loanbook.models.calibration import Calibration
from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.models.inputs.rows import Rows
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.log_loss import log_loss
from loanbook.settings.choice import Choice
from loanbook.settings.files import conf_folder
from loanbook.settings.model import load_model_settings
from tests.models import vector_head
from tests.models.specs import SPEC, some_inputs
from tests.models.trained import (
    RATE,
    ROWS,
    network,
    rows_for,
    train,
    undisturbed_and_resumed,
    without_tracing,
)

pytestmark = pytest.mark.train

ARCHITECTURES = sorted(path.stem for path in (conf_folder() / "models").glob("*.yaml"))


def kind_of(architecture: str) -> tuple[str, bool]:
    """A backbone, and whether it embeds numbers."""
    choice = load_model_settings(architecture).backbone
    return choice.name, choice.own.get("embedding") is not None


# One for each kind.
TRIED = sorted({kind_of(name): name for name in reversed(ARCHITECTURES)}.values())
HEADS = [*map(head, known_modules(loanbook.models.heads.__path__)), vector_head.HEAD]
BASELINES = known_modules(loanbook.models.baselines.__path__)
SMALLER = {"lightgbm_tuned": {"trials": 3, "trees": 60}}  # where the default settings take long
KINDS = [*{type(item): item for item in reversed(HEADS)}.values()][::-1]  # the first head of each
FURTHER = [item for item in HEADS if item not in KINDS]  # differ from one of these in what they say alone
PLAIN = "deep_five_layer"  # the architecture that heads are tried with

each_architecture = pytest.mark.parametrize("architecture", TRIED)


def pairs(name: str, *parts: tuple[Sequence[str], Sequence[Head]]) -> pytest.MarkDecorator:
    """Parametrise a test by a name and a target: every one of a part's names with every one of its heads."""
    tried = dict.fromkeys(pair for part in parts for pair in product(*part))
    return pytest.mark.parametrize((name, "target"), tried, ids=lambda item: getattr(item, "name", item))


each_architecture_with_each_kind_of_head = pairs("architecture", (TRIED, KINDS), ([PLAIN], FURTHER))


class Given:
    """Rows in memory as the evidence of a baseline."""

    spec: InputSpec = SPEC

    def __init__(self, target: Head) -> None:
        self._rows = {role: rows_for(target, seed=seed) for seed, role in enumerate(("train", "tune"))}

    def rows(self, role: str, limit: int | None = None) -> Rows:
        return self._rows[role].taken(slice(limit))


def weights(net: Any) -> list[Any]:
    return [weight.numpy() for weight in net.scores.trainable_weights]


def test_every_backbone_has_an_architecture_that_uses_it() -> None:
    used = {load_model_settings(name).backbone.name for name in ARCHITECTURES}
    assert used == set(known_modules(loanbook.models.backbones.__path__))


@each_architecture_with_each_kind_of_head
def test_an_untrained_network_gives_every_row_the_rate(architecture: str, target: Head) -> None:
    found = network(architecture, target).probabilities(list(some_inputs())).numpy()
    assert found.shape == (500, target.outputs)
    np.testing.assert_allclose(target.pd(found.astype(np.float64)), RATE, rtol=1e-5)


@each_architecture
def test_a_spec_may_lack_every_group_that_the_backbone_does_not_need(architecture: str) -> None:
    from loanbook.models.network import build_network

    choice = load_model_settings(architecture).backbone
    needed = needed_groups(choice)
    left_out = ["categorical", "text"] + (
        [] if "sequences" in needed else ["numeric_sequences", "categorical_sequences"]
    )
    never = [item.model_copy(update={"missing_share": 0.0}) for item in SPEC.numeric]
    spec = SPEC.model_copy(update={"numeric": tuple(never), **dict.fromkeys(left_out, ())})
    net = build_network(spec, choice, head("default_12m"), rate=RATE, seed=3)
    numbers, codes = (tensor.shape[1] for tensor in net.row_specs)
    inputs = (np.zeros((7, numbers), np.float32), np.zeros((7, codes), np.int32))
    np.testing.assert_allclose(net.probabilities(net.feed(*inputs)).numpy(), RATE, rtol=1e-5)


@each_architecture_with_each_kind_of_head
def test_it_trains_saves_loads_exports_and_agrees_row_by_row(
    architecture: str, target: Head, tmp_path: Path
) -> None:
    from loanbook.models.artefact.export import load_weights, onnx_bytes, weight_bytes

    net = network(architecture, target)
    first = weights(net)
    with without_tracing():
        progress = train(net, target, architecture, tmp_path / "state.npz", epochs=2)
    assert progress.history[2]["tune_log_loss"] < progress.history[0]["tune_log_loss"]
    assert all(np.isfinite(weight).all() for weight in weights(net))
    assert any((before != after).any() for before, after in zip(first, weights(net), strict=True))

    again = network(architecture, target)
    load_weights(again, weight_bytes(net))
    inputs = some_inputs(64)
    found = net.probabilities(list(inputs)).numpy()
    np.testing.assert_array_equal(again.probabilities(list(inputs)).numpy(), found)

    predictor = Predictor(onnx_bytes(net.probabilities), SPEC, Calibration(method="none"), target)
    raw, _ = predictor.predict(*inputs)
    assert raw.shape == (64, target.outputs)
    np.testing.assert_allclose(raw, found, atol=1e-6)
    alone = [predictor.predict(*(part[row : row + 1] for part in inputs))[0] for row in range(64)]
    np.testing.assert_allclose(np.concatenate(alone), raw, atol=1e-6)
    assert np.ptp(target.pd(raw)) > 0


@pairs("architecture", (TRIED, KINDS[:1]), ([PLAIN], KINDS))
def test_a_resumed_training_ends_where_an_undisturbed_one_does(
    architecture: str, target: Head, tmp_path: Path
) -> None:
    whole, resumed = undisturbed_and_resumed(architecture, target, tmp_path)
    history = whole.progress.history
    assert history[3]["tune_log_loss"] < history[0]["tune_log_loss"]
    assert resumed.progress.history == history
    for one, other in zip(weights(whole.net), weights(resumed.net), strict=True):
        np.testing.assert_array_equal(one, other)


@pairs("name", (BASELINES, KINDS), (["matrix"], FURTHER))  # the one that reads a head's horizon
def test_a_baseline_fits_exports_and_agrees_row_by_row(name: str, target: Head) -> None:
    module, settings = baseline(Choice.model_validate({"name": name, **SMALLER.get(name, {})}))
    if not module.supports(target):
        pytest.skip(f"{name} does not predict {target.event}")
    evidence = Given(target)
    fitted = module.fit(evidence, target, settings)
    again = module.fit(evidence, target, settings)
    assert again == fitted  # the same rows give the same bytes
    assert json.loads(json.dumps(fitted.facts)) == fitted.facts  # plain values
    predictor = Predictor(fitted.network, SPEC, Calibration(method="none"), target)
    tune = evidence.rows("tune")
    raw, _ = predictor.predict(*tune.inputs)
    assert raw.shape == (ROWS, target.outputs)
    rate = np.average(evidence.rows("train").label, weights=evidence.rows("train").weight)
    of_rate = log_loss(tune.label, np.full(ROWS, rate), tune.weight)
    assert log_loss(tune.label, target.pd(raw), tune.weight) < 1.05 * of_rate
    alone = [predictor.predict(*(part[row : row + 1] for part in tune.inputs))[0] for row in range(64)]
    np.testing.assert_allclose(np.concatenate(alone), raw[:64], atol=1e-6)
