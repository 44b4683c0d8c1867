"""What is refused before anything is trained, as it could not be judged together."""

from collections.abc import Callable

import pytest

from loanbook.commands import COMMANDS, run_job
from loanbook.comparison.alike import require_same_event
from loanbook.errors import InputError
from loanbook.models.heads import head
from loanbook.warehouse.runs import Run
from tests.training.test_job import publish


def test_heads_of_one_label_are_of_the_same_event() -> None:
    targets = {name: head(name) for name in ("default_12m", "transition", "term_structure")}
    require_same_event(targets)
    with pytest.raises(InputError, match=r"(?s)default_12m: default within 12 months; .*default_6m: default"):
        require_same_event({**targets, "default_6m": head("default_6m")})


@pytest.mark.train
def test_architectures_of_two_horizons_are_refused_before_any_training(make_run: Callable[..., Run]) -> None:
    publish(make_run("build"), loans=20, months=8)
    asked = {"models": "mlp_64_32,default_24m", "workers": 1}
    with pytest.raises(InputError, match="the same event within the same time"):
        run_job(make_run("compare_models", "train.epochs=1"), COMMANDS["compare-models"], asked)
    assert [row["job"] for row in make_run().published_runs if row["job"] == "train_model"] == []
