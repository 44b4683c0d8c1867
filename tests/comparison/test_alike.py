"""What is refused before anything is trained, as it could not be judged together."""

from collections.abc import Callable

import pytest

from loanbook.commands import COMMANDS
from loanbook.comparison.alike import require_same_event, require_same_thinning
from loanbook.errors import InputError
from loanbook.models.heads import head
from loanbook.run_job import run_job
from loanbook.settings.train import TrainSettings
from loanbook.warehouse.runs import Run
from tests.training.test_job import publish


def test_heads_of_one_label_are_of_the_same_event() -> None:
    targets = {name: head(name) for name in ("default_12m", "transition", "term_structure")}
    require_same_event(targets)
    with pytest.raises(InputError, match=r"(?s)default_12m: default within 12 months; .*default_6m: default"):
        require_same_event({**targets, "default_6m": head("default_6m")})


@pytest.mark.train
@pytest.mark.parametrize(
    ("models", "setting", "words"),
    [
        ("mlp_64_32,default_24m", "train.folds=1", "the same event within the same time"),
        ("mlp_64_32,transition", "train.negatives_kept=0.5", "heads that keep the same rows"),
    ],
)
def test_what_cannot_be_judged_together_is_refused_before_any_training(
    make_run: Callable[..., Run], models: str, setting: str, words: str
) -> None:
    publish(make_run("build"), loans=20, months=8)
    with pytest.raises(InputError, match=words):
        run_job(
            make_run("compare_models", "train.epochs=1", setting),
            COMMANDS["compare-models"],
            {"models": models, "workers": 1},
        )
    assert [row["job"] for row in make_run().published_runs if row["job"] == "train_model"] == []


@pytest.mark.parametrize("other", ["transition", "term_structure"])
def test_heads_that_thin_differently_are_judged_together_where_nothing_that_judges_is_thinned(
    other: str,
) -> None:
    targets = {name: head(name) for name in ("default_12m", other)}
    thinned = TrainSettings(negatives_kept=0.5)
    with pytest.raises(InputError, match=rf"(?s)negatives_kept 0\.5.*{other}: {other}"):
        require_same_thinning(targets, thinned)
    require_same_thinning(targets, TrainSettings())
    require_same_thinning(targets, TrainSettings(negatives_kept=0.5, members=1))
    require_same_thinning({name: head("default_12m") for name in ("tabm", "mlp_64_32")}, thinned)
