"""Boosted trees by LightGBM with settings that Optuna searches for on ``tune``, within a stated budget.

A search overfits the rows that it is judged on: its tune log loss flatters it, the more trials the more.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from loanbook.models.baselines import BY_TREE, Fitted, lightgbm
from loanbook.models.baselines._boosting import Boosting, Grown
from loanbook.models.binary_head import BinaryHead
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence
from loanbook.models.trees import leaf_rows
from loanbook.settings.section import Section

PACKAGES = ("lightgbm", "optuna")


def _in_order(ends: tuple[Any, Any]) -> tuple[Any, Any]:
    if ends[0] > ends[1]:
        raise ValueError("the least must not be above the most")
    return ends


_Amount = Annotated[float, Field(gt=0)]
_Share = Annotated[float, Field(gt=0, le=1)]
Shares = Annotated[tuple[_Share, _Share], AfterValidator(_in_order)]
Amounts = Annotated[tuple[_Amount, _Amount], AfterValidator(_in_order)]
Leaves = Annotated[tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(ge=2)]], AfterValidator(_in_order)]
Counts = Annotated[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]], AfterValidator(_in_order)]


class Settings(Section):
    """Of the search; a pair is the least and the most of a setting of LightGBM, by its name there."""

    trials: int = Field(20, ge=1, description="most fits")
    seconds: float = Field(
        300.0, gt=0, description="after which no fit but the first goes on; if it bites, machines differ"
    )
    rows: int = Field(1_000_000, ge=1000, description="most training rows")
    trees: int = Field(2000, ge=1, description="most trees")
    patience: int = Field(50, ge=1, description="trees without a gain on tune after which a fit stops")
    learning_rate: Shares = Field((0.01, 0.1), description="share of each tree that is added")
    num_leaves: Leaves = Field((15, 255), description="most leaves of a tree")
    min_data_in_leaf: Counts = Field((10, 1000), description="fewest training rows of a leaf")
    feature_fraction: Shares = Field((0.3, 1.0), description="share of the columns drawn for each tree")
    bagging_fraction: Shares = Field((0.5, 1.0), description="share of the rows drawn for each tree")
    lambda_l1: Amounts = Field((0.001, 10.0), description="L1 penalty of the leaves")
    lambda_l2: Amounts = Field((0.001, 10.0), description="L2 penalty of the leaves")
    seed: int = Field(17, ge=0, description="of the search, and of the columns and rows drawn")
    num_threads: int = Field(1, ge=1, description="threads; they wait for each other where cores are busy")


Ranges = Mapping[str, tuple[Any, Any]]

FEWEST = "min_data_in_leaf"
EVENLY = ("feature_fraction", "bagging_fraction")  # searched as they are, the others in logs
WHOLE = ("num_leaves", FEWEST)
SEARCHED = ("learning_rate", *WHOLE, *EVENLY, "lambda_l1", "lambda_l2")


def supports(target: Head) -> bool:
    """Return whether the head is of an event that comes about or does not."""
    return isinstance(target, BinaryHead)


def fit(evidence: Evidence, target: Head, settings: Settings) -> Fitted:
    """Return the fit with the least tune log loss of those that the search made.

    The first fit is that of the baseline ``lightgbm``, as far as the ranges allow it; the next are drawn at
    random, and those after the tenth by the tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and
    Kegl 2011, *Algorithms for Hyper-Parameter Optimization*; Optuna's sampler). The same rows and number of
    trials give the same trees.
    """
    boosting = Boosting.of(evidence, settings.rows, feature_pre_filter=False)
    trials = searched(boosting, settings)
    best = min(trials, key=lambda trial: trial.grown.loss)
    facts = {
        "trials": len(trials),
        "trees": len(best.grown.trees),
        "tune_log_loss": best.grown.loss,
        "tune_log_loss_of_first": trials[0].grown.loss,
        "parameters": best.parameters,
        BY_TREE: best.grown.losses,
    }
    return Fitted(boosting.as_onnx(best.grown), facts)


@dataclass(frozen=True)
class Trial:
    """A fit of the search, with the settings that it had."""

    parameters: dict[str, Any]
    grown: Grown


class _TimeOver(Exception):
    """The time of the search is over."""


def searched(boosting: Boosting, settings: Settings) -> list[Trial]:
    """Return the fits of the search, at least one; one that time cuts short is not among them."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    end = time.monotonic() + settings.seconds
    ranges = searched_ranges(settings, boosting.rows)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=settings.seed))
    study.enqueue_trial(plain(ranges))
    own = {"bagging_freq": 1, **settings.model_dump(include={"seed", "num_threads"})}
    done: list[Trial] = []
    while len(done) < settings.trials:
        trial = study.ask()
        parameters = {name: _drawn(trial, name, *ends) for name, ends in ranges.items()}
        until = [_until(end)] if done else []
        try:
            grown = boosting.grown({**parameters, **own}, settings.trees, settings.patience, *until)
        except _TimeOver:
            break
        study.tell(trial, grown.loss)
        done.append(Trial(parameters, grown))
    return done


def searched_ranges(settings: Settings, rows: int) -> Ranges:
    """Return the least and the most of what is searched; of few rows, leaves may be as small as fits."""
    given = {name: getattr(settings, name) for name in SEARCHED}
    low, high = given[FEWEST]
    return {**given, FEWEST: (leaf_rows(low, rows), leaf_rows(high, rows))}


def _drawn(trial: Any, name: str, low: Any, high: Any) -> Any:
    draw = trial.suggest_int if name in WHOLE else trial.suggest_float
    return draw(name, low, high, log=name not in EVENLY)


def _until(end: float) -> Callable[[Any], None]:
    def check(_: Any) -> None:
        if time.monotonic() > end:
            raise _TimeOver

    return check


def plain(ranges: Ranges) -> dict[str, Any]:
    """Return the settings of the baseline ``lightgbm``, as near as the ranges allow.

    >>> plain({"num_leaves": (4, 8), "bagging_fraction": (0.5, 1.0)})
    {'num_leaves': 8, 'bagging_fraction': 1.0}
    """
    given = {"bagging_fraction": 1.0, "lambda_l1": 0.0, **lightgbm.Settings().model_dump()}
    return {name: min(max(given[name], low), high) for name, (low, high) in ranges.items()}
