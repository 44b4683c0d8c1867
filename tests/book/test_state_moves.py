from typing import Any

import numpy as np
import pytest

from loanbook.book.state_moves import DESTINATIONS, NO_MOVE, StateMoves, move_expr
from loanbook.settings.book import DefaultDefinition
from loanbook.tables.columns import STATES

MONTHLY = StateMoves.of(1, DefaultDefinition())


def from_(moves: StateMoves, origin: str) -> set[str]:
    row = moves.reachable[moves.origins.index(origin)]
    return {state for state, possible in zip(DESTINATIONS, row, strict=True) if possible}


def test_what_defaults_and_what_a_loan_moves_on_from_follow_the_definition() -> None:
    assert MONTHLY.default_states == ("dpd90", "foreclosure", "reo", "liquidated")
    strict = DefaultDefinition(entry_state="dpd60", liquidation_with_loss_is_default=False)
    assert StateMoves.of(1, strict).origins == ("unknown", "current", "dpd30", "inactive")
    assert "liquidated" not in StateMoves.of(1, strict).default_states


def test_a_move_is_possible_by_the_payments_of_a_period_or_where_a_training_row_made_it() -> None:
    none = np.zeros((len(MONTHLY.origins), len(DESTINATIONS)))
    better = {"current", "inactive", "prepaid", "matured"}
    told = MONTHLY.with_counts(none)
    assert MONTHLY.reachable.all()  # before any is counted
    assert from_(told, "current") == from_(told, "inactive") == better | {"dpd30"}
    assert from_(told, "dpd60") == better | {"dpd30", "dpd60", "dpd90"}
    assert from_(told, "unknown") == set(DESTINATIONS)
    quarterly = StateMoves.of(3, DefaultDefinition()).with_counts(none)
    assert from_(quarterly, "current") == better | {"dpd30", "dpd60", "dpd90"}
    none[MONTHLY.origins.index("current"), DESTINATIONS.index("foreclosure")] = 1
    assert from_(MONTHLY.with_counts(none), "current") == better | {"dpd30", "foreclosure"}


def test_each_destination_is_a_place_of_the_chain_default_or_an_end() -> None:
    places = MONTHLY.ends(("unknown", "dpd30", "current"))
    found = dict(zip(DESTINATIONS, map(tuple, places), strict=True))
    assert found["current"] == (0, 0, 1, 0)
    assert found["dpd60"] == found["inactive"] == (1, 0, 0, 0)  # too rare to be a state of its own
    assert found["dpd90"] == found["liquidated"] == (0, 0, 0, 1)
    assert found["prepaid"] == found["matured"] == (0, 0, 0, 0)


def test_moves_are_read_from_json_as_they_were() -> None:
    import json
    from dataclasses import asdict

    told = MONTHLY.with_counts(np.ones((5, 10)))
    assert StateMoves.read(json.loads(json.dumps(asdict(told)))) == told
    assert StateMoves.read(None) is None


def test_a_censored_state_and_none_are_no_move(spark: Any) -> None:
    states = [*STATES, None]
    rows = spark.createDataFrame([(place, state) for place, state in enumerate(states)], "n int, s string")
    found = [row[0] for row in rows.orderBy("n").select(move_expr(rows["s"])).collect()]
    places = {state: place for place, state in enumerate(DESTINATIONS)}
    assert found == [places.get(str(state), NO_MOVE) for state in states]
    assert found[states.index("removed")] == NO_MOVE


@pytest.mark.parametrize(("period", "periods"), [(1, 12), (3, 4), (6, 2), (12, 1)])
def test_a_horizon_has_whole_periods(period: int, periods: int) -> None:
    assert StateMoves.of(period, DefaultDefinition()).periods(12) == periods
