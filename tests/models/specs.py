"""A spec with every kind of input, and inputs that reach each of its branches."""

from typing import Any

import numpy as np

from loanbook.models.inputs.spec import (
    CategoricalInput,
    CategoricalSequence,
    InputSpec,
    NumericInput,
    NumericSequence,
    TextInput,
)

SPEC = InputSpec(
    numeric=(
        NumericInput(
            name="ltv",
            expression="ltv",
            log=False,
            low=0.1,
            high=1.5,
            fill=0.8,
            mean=0.8,
            std=0.2,
            missing_share=0.1,
            edges=(0.1, 0.5, 0.6, 0.7, 0.8, 0.9, 1.2, 1.5),
            median=0.79,
            spread=0.25,
        ),
        NumericInput(
            name="income",
            expression="numeric_inputs['income']",
            log=True,
            low=0.0,
            high=1e6,
            fill=float(np.expm1(10.0)),
            mean=10.0,
            std=1.1,
            missing_share=0.0,
            edges=(0.0, 3e3, 2e4, 1e5, 1e6),
            median=10.2,
            spread=1.5,
        ),
        NumericInput(
            name="change",
            expression="change",
            log=False,
            low=-3,
            high=3,
            fill=-0.1,
            mean=-0.1,
            std=0.9,
            missing_share=0.4,
            edges=(-3, 3),
            median=0.0,
            spread=1.2,
        ),
    ),
    categorical=(
        CategoricalInput(name="state", expression="state", vocabulary=("current", "dpd30")),
        CategoricalInput(
            name="area",
            expression="categorical_inputs['area']",
            vocabulary=tuple(f"a{number}" for number in range(20)),
        ),
    ),
    text=(
        TextInput(
            name="note",
            expression="text_inputs['note']",
            vocabulary=("loan", "debt", "crédit", "cards", "24"),
            tokens=4,
        ),
        TextInput(name="why", expression="text_inputs['why']", vocabulary=("debt", "car"), tokens=2),
    ),
    numeric_sequences=(
        NumericSequence(
            name="balances",
            expression="balances",
            steps=3,
            low=0.0,
            high=1.2,
            mean=0.7,
            std=0.3,
            missing_share=0.2,
        ),
    ),
    categorical_sequences=(CategoricalSequence(name="states", expression="states", steps=3, size=4),),
)


def some_inputs(rows: int = 500, seed: int = 3) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    numeric = np.column_stack(
        [rng.normal(0.8, 0.5, rows), np.exp(rng.normal(10, 3, rows)), rng.normal(0, 3, rows)]
    ).astype(np.float32)
    numeric[rng.random(numeric.shape) < 0.2] = np.nan
    numeric[0] = [-1e9, 1e12, -1e9]
    numeric[1] = [np.inf, -5.0, -np.inf]
    balances = rng.normal(0.7, 0.4, (rows, 3)).astype(np.float32)
    began = rng.integers(0, 4, (rows, 1))  # the history of a loan that began late is missing at the front
    states = rng.integers(0, 4, (rows, 3))
    balances[np.arange(3) < began], states[np.arange(3) < began] = np.nan, 0
    known = {item.name: rng.integers(0, item.tokens + 1, (rows, 1)) for item in SPEC.text}
    words = [
        rng.integers(1, len(item.vocabulary) + 1, (rows, item.tokens))
        * (np.arange(item.tokens) < known[item.name])
        for item in SPEC.text
    ]
    codes = [rng.integers(0, 3, rows), rng.integers(0, 21, rows), *words, states]
    return np.column_stack([numeric, balances]), np.column_stack(codes).astype(np.int32)
