"""Which of a model and its baselines scores the book: the best on loans that it was not fitted on."""

from collections.abc import Collection, Mapping

from pydantic import BaseModel, ConfigDict

from loanbook.models.shortfalls import CONSTANT, WORSE_THAN_CONSTANT


class Best(BaseModel):
    """The predictor that scores a book unless another is asked for, and why, in words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    predictor: str
    because: str


def best_of(
    losses: Mapping[str, float], shortfalls: Mapping[str, Collection[str]], sample: str, *, sufficient: bool
) -> Best:
    """Return the predictor with the least log loss that is not worse than the constant.

    Where the sample holds too few defaults to tell predictors apart it is the first, unless that is worse
    than the constant; where nothing was predicted, the model.

    Args:
        losses: calibrated log loss by predictor on development loans that none was fitted on, first the one
            that scores where nothing can be told.
        shortfalls: what each falls short of on the test rows, where they hold defaults enough to say.
        sample: name of those loans.
        sufficient: whether they hold defaults enough.

    >>> best_of({"model": 0.09, "logistic": 0.10}, {}, "out_of_fold", sufficient=True).because
    'the least log loss on out_of_fold: model 0.09000, logistic 0.10000'
    >>> best_of({"model": 0.3, "constant": 0.2, "cart": 0.1}, {}, "out_of_fold", sufficient=False).predictor
    'constant'
    >>> best_of({"model": 0.09, "constant": 0.10}, {"model": ["worse_than_constant"]}, "out_of_fold",
    ...     sufficient=True).predictor
    'constant'
    """
    if not losses:
        return Best(predictor="model", because="no development loan is held out to compare predictors on")
    usable = {
        name: loss for name, loss in losses.items() if WORSE_THAN_CONSTANT not in shortfalls.get(name, ())
    }
    constant = losses.get(CONSTANT, float("inf"))
    left_out = [name for name in losses if name not in usable]
    but = f"; not {' nor '.join(left_out)}: worse than the constant on the test rows" if left_out else ""
    if not sufficient:
        first = next(iter(losses))
        name = first if first in usable and losses[first] <= constant else CONSTANT
        return Best(predictor=name, because=f"too few defaults on {sample} to compare predictors{but}")
    said = ", ".join(f"{name} {loss:.5f}" for name, loss in losses.items())
    return Best(
        predictor=min(usable, key=lambda name: usable[name]),
        because=f"the least log loss on {sample}: {said}{but}",
    )
