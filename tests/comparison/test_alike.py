"""What could not be judged together, and is refused before anything is trained (``test_job``)."""

import pytest

from loanbook.comparison.alike import require_same_event, require_same_thinning
from loanbook.errors import InputError
from loanbook.models.heads import head
from loanbook.settings.train import TrainSettings


def test_heads_of_one_label_are_of_the_same_event() -> None:
    targets = {name: head(name) for name in ("default_12m", "transition", "term_structure")}
    require_same_event(targets)
    with pytest.raises(InputError, match=r"(?s)default_12m: default within 12 months; .*default_6m: default"):
        require_same_event({**targets, "default_6m": head("default_6m")})


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
