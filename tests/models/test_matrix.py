from typing import Any

import numpy as np
import pytest

from loanbook.errors import InputError
from loanbook.models.baselines import baseline
from loanbook.models.inputs.rows import Rows
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.choice import Choice
from tests.models.given import Given, category, fitted, number, predicted, rows_of

STATES = ("current", "dpd30", "dpd60")
WHOLE = InputSpec(
    numeric=(number("ltv"), number("credit_score")),
    categorical=(category("area", "a", "b"), category("state", *STATES)),
)
EDGES = (580, 620, 660, 700, 740, 780)
ODD = [np.nan, np.inf, -np.inf, -1e9, 1e12, 580, np.nextafter(np.float32(580), np.float32(0)), 620, 780]


def some_rows(rows: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    score = np.round(rng.normal(680, 70, rows))
    score[rng.random(rows) < 0.1] = np.nan
    score[: len(ODD)] = ODD
    codes = rng.integers(0, [3, 4], (rows, 2))
    label = rng.random(rows) < 0.02 + 0.1 * codes[:, 1] + 0.2 * (score < 640)
    return rows_of(np.column_stack([rng.random(rows), score]), codes, label, np.where(label, 1, 4))


def of_spec(spec: InputSpec, rows: Rows) -> Rows:
    """Rows with the columns alone that a spec has."""
    numeric = rows.numeric[:, [WHOLE.numeric_columns.index(name) for name in spec.numeric_columns]]
    codes = rows.codes[:, [WHOLE.code_columns.index(name) for name in spec.code_columns]]
    return Rows(numeric, codes, rows.targets, rows.label, rows.weight)


def band(score: float) -> Any:
    return "missing" if np.isnan(score) else max([edge for edge in EDGES if score >= edge], default=0)


def oracle(train: Rows, rows: Rows, state: bool, score: bool, prior: float) -> list[Any]:
    """The rate of each row's cell, counted row by row."""

    def cells(of: Rows) -> list[tuple[Any, ...]]:
        each = zip(of.codes[:, 1], of.numeric[:, 1], strict=True)
        return [(int(code), band(number)) for code, number in each]

    def rate(place: Any, above: Any) -> Any:
        inside = np.array([place(cell) for cell in cells(train)])
        weights = train.weight[inside].astype(np.float64)
        return (weights @ train.label[inside] + prior * above) / (weights.sum() + prior)

    overall = np.average(train.label, weights=train.weight)
    found: dict[Any, Any] = {}
    for cell in set(cells(rows)):
        found[cell] = rate(lambda other, own=cell[0]: other[0] == own, overall) if state else overall
        if score:
            same = (lambda other, own=cell: other == own) if state else (lambda o, own=cell: o[1] == own[1])
            found[cell] = rate(same, found[cell])
    return [found[cell] for cell in cells(rows)]


@pytest.mark.parametrize("state", [True, False])
@pytest.mark.parametrize("score", [True, False])
def test_it_gives_the_counted_rate_of_each_rows_cell(state: bool, score: bool) -> None:
    spec = InputSpec(
        numeric=WHOLE.numeric if score else WHOLE.numeric[:1],
        categorical=WHOLE.categorical if state else WHOLE.categorical[:1],
    )
    train, rows = some_rows(800, seed=1), some_rows(200, seed=2)
    found = fitted(Given(spec, of_spec(spec, train), of_spec(spec, rows)), "matrix", prior_rows=10.0)
    expected = oracle(train, rows, state, score, 10.0)
    np.testing.assert_allclose(predicted(found.network, spec, of_spec(spec, rows)), expected, atol=1e-6)
    assert found.facts["inputs"] == ["state"] * state + ["credit_score"] * score
    cells = found.facts["cells"]
    assert len(cells) == (4 if state else 1) * (8 if score else 1)
    assert sum(cell["rows"] for cell in cells) == pytest.approx(train.weight.sum())
    assert (np.ptp(expected) > 0.05) == (state or score)


def test_a_spec_without_any_code_gives_the_rates_of_the_bands() -> None:
    spec = InputSpec(numeric=WHOLE.numeric[1:], categorical=())
    train = some_rows(2000, seed=3)
    rows = rows_of(train.numeric[:, 1], None, train.label, train.weight)
    found = fitted(Given(spec, rows, rows), "matrix")
    expected = oracle(train, train, state=False, score=True, prior=20.0)
    np.testing.assert_allclose(predicted(found.network, spec, rows), expected, atol=1e-6)


def test_cells_are_named_in_words() -> None:
    train = some_rows(100, seed=4)
    found = fitted(Given(WHOLE, train, train), "matrix", edges=[600, 700.5]).facts["cells"]
    bands = ["below 600", "600 to 700.5", "from 700.5", "missing"]
    assert [cell["band"] for cell in found[:4]] == bands
    assert [cell["state"] for cell in found[::4]] == ["missing or unknown", *STATES]


def test_few_defaults_leave_no_cell_at_zero_and_none_far_from_the_mean() -> None:
    train = some_rows(200, seed=5)
    label = np.zeros(200, np.float32)
    label[20:25] = 1
    few = Rows(train.numeric, train.codes, label[:, None], label, np.ones(200, np.float32))
    found = predicted(fitted(Given(WHOLE, few, few), "matrix").network, WHOLE, some_rows(500, seed=6))
    assert 0 < found.min() <= found.max() < 0.25


def test_another_state_and_score_may_be_named() -> None:
    train = some_rows(300, seed=7)
    facts = fitted(Given(WHOLE, train, train), "matrix", state="area", score="ltv", edges=[0.5]).facts
    assert facts["inputs"] == ["area", "ltv"]
    assert len(facts["cells"]) == 3 * 3


@pytest.mark.parametrize("own", [{"edges": [620, 580]}, {"edges": []}, {"prior_rows": 0}, {"bands": 3}])
def test_settings_that_make_no_matrix_are_refused(own: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="settings of the baseline 'matrix'"):
        baseline(Choice.model_validate({"name": "matrix", **own}))
