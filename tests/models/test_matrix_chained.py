"""The chained matrix against moves counted row by row and taken month by month."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from loanbook.book.state_moves import DESTINATIONS, StateMoves
from loanbook.models.baselines import baseline
from loanbook.models.heads import head
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.book import DefaultDefinition
from loanbook.settings.choice import Choice
from tests.models.given import Given, predicted
from tests.models.test_matrix import WHOLE, band, of_spec, some_rows

TARGET = replace(head("default_12m"), moves=StateMoves.of(1, DefaultDefinition()))
STATES = ("unknown", "current", "dpd30", "dpd60")  # by code
PRIOR = 10.0


def moving_rows(rows: int, seed: int) -> Any:
    """Rows that get better or worse, more of the low scores worse; some say no next state."""
    given, rng = some_rows(rows, seed), np.random.default_rng(seed)
    worse = rng.random(rows) < np.where(given.numeric[:, 1] < 660, 0.5, 0.2)
    to = np.where(worse, np.maximum(given.codes[:, 1], 1), 0)
    to[rng.random(rows) < 0.1] = DESTINATIONS.index("prepaid")
    to[rng.random(rows) < 0.05] = -1
    return replace(given, next_state=to)


def fit(evidence: Given, target: Any = TARGET, **own: Any) -> Any:
    module, settings = baseline(Choice.model_validate({"name": "matrix", "prior_rows": PRIOR, **own}))
    return module.fit(evidence, target, settings)


def counted(train: Any, inside: Any) -> Any:
    found = np.zeros(len(DESTINATIONS))
    for code, score, to, weight in zip(
        train.codes[:, 1], train.numeric[:, 1], train.next_state, train.weight, strict=True
    ):
        if to >= 0 and inside(int(code), band(score)):
            found[int(to)] += weight
    return found


def oracle(train: Any, score: bool) -> dict[tuple[int, Any], float]:
    """The PD of each cell: a band's moves taken month by month for a year."""
    overall = counted(train, lambda *_: True)
    overall /= overall.sum()
    bands = {band(value) for value in train.numeric[:, 1]}
    found = {}
    for in_band in bands:
        moves = {}
        for code in range(4):
            of_state = counted(train, lambda c, _, own=code: c == own)
            of_state = (of_state + overall) / (of_state.sum() + 1)
            cell = counted(train, lambda c, b, own=code, its=in_band: (c, b) == (own, its))
            moves[code] = (cell + PRIOR * of_state) / (cell.sum() + PRIOR) if score else of_state
        for code in range(4):
            now, defaulted = {code: 1.0}, 0.0
            for _ in range(12):
                then: dict[int, float] = {}
                for at, chance in now.items():
                    for state, move in zip(DESTINATIONS, moves[at], strict=True):
                        if state in ("dpd90", "foreclosure", "reo", "liquidated"):
                            defaulted += chance * move
                        elif state in (*STATES, "inactive"):
                            place = STATES.index(state) if state in STATES else 0
                            then[place] = then.get(place, 0.0) + chance * move
                now = then
            found[code, in_band] = defaulted
    return found


@pytest.mark.parametrize("score", [True, False])
def test_it_chains_the_counted_moves_of_a_cells_band(score: bool) -> None:
    spec = WHOLE if score else InputSpec(numeric=WHOLE.numeric[:1], categorical=WHOLE.categorical)
    train, rows = moving_rows(900, seed=1), moving_rows(200, seed=2)
    given = Given(spec, replace(of_spec(spec, train), next_state=train.next_state), of_spec(spec, rows))
    found, pds = fit(given), oracle(train, score)
    expected = [
        pds[int(row[1]), band(value)] for row, value in zip(rows.codes, rows.numeric[:, 1], strict=True)
    ]
    np.testing.assert_allclose(predicted(found.network, spec, of_spec(spec, rows)), expected, atol=1e-6)
    assert np.ptp(expected) > 0.05
    assert found.facts["counted"] == "moves from one report to the next, 12 of them chained"
    cell = found.facts["cells"][-1]
    assert cell["state"] == "dpd60"
    assert sum(cell["moves"].values()) == pytest.approx(1)
    moved = train.next_state >= 0
    assert sum(cell["rows"] for cell in found.facts["cells"]) == pytest.approx(train.weight[moved].sum())


@pytest.mark.parametrize(
    ("target", "own", "words"),
    [
        (head("tape_outcome"), {}, "the rows say no next state"),
        (TARGET, {"chained": False}, "as asked for"),
        (TARGET, {"state": "area"}, "the state of delinquency is no input"),
        (
            replace(TARGET, moves=StateMoves.of(12, DefaultDefinition()), horizon_months=6),
            {},
            "no whole periods",
        ),
    ],
)
def test_where_no_move_tells_the_label_is_counted_and_said(target: Any, own: Any, words: str) -> None:
    train = moving_rows(400, seed=3)
    found, direct = (
        fit(Given(WHOLE, train, train), target, **own),
        fit(Given(WHOLE, train, train), head("default_12m"), **{"chained": False, **own}),
    )
    assert words in found.facts["counted"]
    assert found.network == direct.network
    assert all("moves" not in cell for cell in found.facts["cells"])


def test_a_tape_without_next_states_or_moves_into_default_is_counted_by_its_label() -> None:
    train = moving_rows(400, seed=4)
    for to in (-1, 0):
        none = replace(train, next_state=np.full(400, to))
        assert "no training row moved into default" in fit(Given(WHOLE, none, none)).facts["counted"]
