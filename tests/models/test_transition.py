"""The head of the next state against its definition, written out in loops."""

from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import pytest

from loanbook.book.state_moves import DESTINATIONS, StateMoves
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration, logit, sigmoid
from loanbook.models.heads import head
from loanbook.settings.book import DefaultDefinition
from loanbook.settings.model import load_model_settings
from tests.models.specs import SPEC, some_inputs

pytestmark = pytest.mark.train

MONTHLY = StateMoves.of(1, DefaultDefinition())
COUNTS = np.zeros((len(MONTHLY.origins), len(DESTINATIONS)))
COUNTS[1, [0, 1, 7]] = 900, 50, 50  # current: stays, dpd30, prepaid
COUNTS[2, [0, 1, 2]] = 20, 20, 10
COUNTS[3, [2, 3, 9]] = 5, 5, 2  # dpd60: stays, dpd90, liquidated
STATES_OF_CODES = ("unknown", "current", "dpd30")  # of the spec's input state


def told(period_months: int = 1) -> Any:
    moves = StateMoves.of(period_months, DefaultDefinition()).with_counts(COUNTS)
    return replace(head("transition"), moves=moves)


def network(target: Any, architecture: str = "mlp_64_32", seed: int = 1, spread: float = 0.0) -> Any:
    from loanbook.models.network import build_network

    net = build_network(SPEC, load_model_settings(architecture).backbone, target, rate=0.1, seed=seed)
    rng = np.random.default_rng(seed)
    for weight in net.scores.trainable_weights if spread else ():
        weight.assign(weight + rng.normal(scale=spread, size=weight.shape))
    return net


def matrices_of(target: Any, scores: Any) -> Any:
    """Each row's moves, (rows, origins, destinations), from its scores."""
    moves = target.moves
    found = np.zeros((len(scores), len(moves.origins), len(DESTINATIONS)))
    pairs = np.argwhere(moves.reachable)
    for row, logits in enumerate(scores):
        for (origin, to), score in zip(pairs, logits[: len(pairs)], strict=True):
            found[row, origin, to] = np.exp(float(score))
    return found / found.sum(axis=2, keepdims=True)


def stepped(moves: Any, matrix: Any, origin: int, periods: int) -> float:
    """The 12-month PD of a loan, month by month."""
    now = {moves.origins[origin]: 1.0}
    defaulted = 0.0
    for _ in range(periods):
        then: dict[str, float] = {}
        for state, chance in now.items():
            for to, move in zip(DESTINATIONS, matrix[moves.origins.index(state)], strict=True):
                if to in moves.default_states:
                    defaulted += chance * move
                elif to in moves.origins:
                    then[to] = then.get(to, 0.0) + chance * move
        now = then
    return defaulted


@pytest.mark.parametrize(("period", "periods"), [(1, 12), (3, 4)])
def test_the_pd_is_the_rows_own_matrix_taken_month_by_month(period: int, periods: int) -> None:
    target = told(period)
    net, inputs = network(target, spread=0.3), some_inputs(40)
    scores, found = (
        part(list(inputs)).numpy().astype(np.float64) for part in (net.scores, net.probabilities)
    )
    matrices = matrices_of(target, scores)
    for row, code in enumerate(inputs[1][:, 0]):
        origin = target.moves.origins.index(STATES_OF_CODES[code])
        assert found[row, 0] == pytest.approx(stepped(target.moves, matrices[row], origin, periods), rel=1e-4)
        np.testing.assert_allclose(found[row, 1:], matrices[row, origin], rtol=1e-4, atol=1e-9)
    assert np.ptp(found[:, 0]) > 0.01


def test_impossible_moves_have_no_probability_and_possible_ones_have() -> None:
    target = told()
    found = network(target, spread=0.3).probabilities(list(some_inputs(60))).numpy()[:, 1:]
    for code, origin in ((1, 1), (2, 2)):
        of_code = found[some_inputs(60)[1][:, 0] == code]
        assert ((of_code > 0) == target.moves.reachable[origin]).all()
        assert not target.moves.reachable[origin].all()


def test_the_loss_is_that_of_the_rows_own_state_and_contradicting_or_unknown_moves_cost_nothing() -> None:
    target = told()
    net, inputs = network(target, "tabm", spread=0.3), some_inputs(30)
    from loanbook.models.submodels import losses_to_train

    scores = net.scores(list(inputs))
    dpd90 = DESTINATIONS.index("dpd90")
    to = np.where(inputs[1][:, 0] == 1, dpd90, 1).astype(np.float32)  # current to dpd90 is impossible
    to[::7] = -1
    found = losses_to_train(target, scores, to[:, None]).numpy()
    expected = []
    for row, code in enumerate(inputs[1][:, 0]):
        origin = target.moves.origins.index(STATES_OF_CODES[code])
        each = matrices_of(target, scores[row].numpy())[:, origin, int(to[row])]
        none = to[row] < 0 or not target.moves.reachable[origin, int(to[row])]
        expected.append(0.0 if none else -np.log(each).mean())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert (found == 0).sum() > 5 < (found > 0).sum()


def test_training_begins_at_the_counted_moves() -> None:
    target = told()
    found = network(target).probabilities(list(some_inputs(60))).numpy()[:, 1:]
    counted = COUNTS[1:4] + COUNTS.sum(axis=0) / COUNTS.sum()
    counted /= counted.sum(axis=1, keepdims=True)
    codes = some_inputs(60)[1][:, 0]
    for code, row in ((1, 0), (2, 1)):
        expected = np.where(target.moves.reachable[row + 1], counted[row], 0)
        np.testing.assert_allclose(
            found[codes == code], np.tile(expected / expected.sum(), ((codes == code).sum(), 1)), atol=1e-4
        )


def test_a_network_has_a_weight_for_each_possible_move_alone() -> None:
    target, hidden = told(), 32
    weights = network(target).scores.trainable_weights[-2:]
    assert [tuple(weight.shape) for weight in weights] == [
        (hidden, int(target.moves.reachable.sum())),
        (int(target.moves.reachable.sum()),),
    ]


def test_its_file_has_no_loop_and_agrees_on_small_probabilities() -> None:
    from loanbook.models.artefact.export import onnx_bytes

    target = told()
    net, inputs = network(target, spread=0.2), some_inputs(50)
    content = onnx_bytes(net.probabilities)
    kinds = {node.op_type for node in onnx.load_from_string(content).graph.node}
    assert "Loop" not in kinds
    assert "MatMul" in kinds
    raw, _ = Predictor(content, SPEC, Calibration(method="none"), target).predict(*inputs)
    np.testing.assert_allclose(raw, net.probabilities(list(inputs)).numpy(), rtol=2e-4, atol=1e-30)


def test_pds_are_calibrated_by_state_and_next_states_are_not() -> None:
    own = Calibration(method="intercept", intercept=1.0)
    both = Calibration(method="intercept", intercept=-1.0, by_state={"dpd30": own})
    raw = np.tile([0.2, 0.5, 0.5], (3, 1))
    found = told().calibrated(raw, both, np.array(["current", "dpd30", "unknown"]))
    np.testing.assert_allclose(found[:, 0], sigmoid(logit(0.2) + np.array([-1, 1, -1])))
    np.testing.assert_array_equal(found[:, 1:], raw[:, 1:])


def test_a_predictor_knows_the_state_by_its_code() -> None:
    from loanbook.models.artefact.export import onnx_bytes

    own = Calibration(method="intercept", intercept=1.0)
    both = Calibration(method="none", by_state={"dpd30": own})
    inputs = some_inputs(50)
    predictor = Predictor(onnx_bytes(network(told()).probabilities), SPEC, both, told())
    raw, calibrated = predictor.predict(*inputs)
    late = inputs[1][:, 0] == 2
    np.testing.assert_allclose(calibrated[late, 0], sigmoid(logit(raw[late, 0]) + 1))
    np.testing.assert_array_equal(calibrated[~late], raw[~late])


@pytest.mark.parametrize("name", ["transition", "default_6m", "default_24m"])
def test_a_shipped_architecture_differs_from_the_default_in_its_head_alone(name: str) -> None:
    own, default = (load_model_settings(each) for each in (name, "tabm"))
    assert own == default.model_copy(update={"head": name})
