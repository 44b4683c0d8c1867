"""What a snapshot must have before any is made."""

from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import functions as F

from loanbook.book.state_moves import StateMoves
from loanbook.errors import InputError
from loanbook.models.heads import head
from loanbook.settings.book import DefaultDefinition
from loanbook.training.evidence import require_inputs, require_labels
from tests.training.books import CANDIDATES

DEFAULT = head("default_12m")
TRANSITION = replace(head("transition"), moves=StateMoves.of(1, DefaultDefinition()))


def with_status(labels: Any, status: str) -> Any:
    return labels.withColumns({"label_status": F.lit(status), "default_12m": F.lit(None).cast("int")})


def test_a_tape_without_a_label_is_refused_and_says_what_its_rows_are(small_book: Any) -> None:
    labels = small_book[1]["labels"]
    require_labels(DEFAULT, {"labels": labels}, "s")
    require_labels(TRANSITION, {"labels": labels}, "s")
    for status in ("not_matured", "tape_outcome"):
        for target in (DEFAULT, TRANSITION):
            with pytest.raises(
                InputError, match=rf"default within 12 months.*{target.name}.*\n*.*{status} 14,400"
            ):
                require_labels(target, {"labels": with_status(labels, status)}, "s")
    with pytest.raises(InputError, match="no row"):
        require_labels(DEFAULT, {"labels": labels}, "other")


def test_the_24_month_labels_of_a_short_tape_are_its_own(small_book: Any) -> None:
    labels = small_book[1]["labels"].withColumns(
        {"label_status_24m": F.lit("not_matured"), "default_24m": F.lit(None).cast("int")}
    )
    with pytest.raises(InputError, match=r"(?s)default within 24 months.*not_matured 14,400"):
        require_labels(head("default_24m"), {"labels": labels}, "s")


def test_an_input_that_a_head_needs_cannot_be_left_out() -> None:
    state = [item.model_copy(update={"name": "state"}) for item in CANDIDATES if item.name == "state_now"]
    require_inputs(TRANSITION, state)
    require_inputs(DEFAULT, [])
    with pytest.raises(InputError, match="input state, which the head transition cannot do without"):
        require_inputs(TRANSITION, CANDIDATES)


def test_scores_of_another_horizon_are_not_the_books() -> None:
    leading = {
        name: head(name).leads for name in ("default_12m", "tape_outcome", "transition", "default_24m")
    }
    assert leading == {"default_12m": True, "tape_outcome": True, "transition": True, "default_24m": False}
