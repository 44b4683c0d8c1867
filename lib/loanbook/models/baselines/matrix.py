"""The counted matrix: the moves of the training rows by state of delinquency and band of credit score.

What a bank had before it had a model, and what a model must beat to be worth its upkeep: the moves of one
period are chained over those of the horizon. Of a tape that says no next state the label itself is counted.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from loanbook.models.baselines import Fitted
from loanbook.models.baselines._counted_chain import CountedChain, counted_moves
from loanbook.models.binary_head import BinaryHead
from loanbook.models.head import Head
from loanbook.models.inputs.rows import Evidence, Rows
from loanbook.models.inputs.spec import InputSpec
from loanbook.models.steps import Bins, add_steps, bins_of
from loanbook.models.trees import LEAF, Tree, TreeColumns, trees_as_onnx
from loanbook.settings.section import Section

Floats = npt.NDArray[np.float64]

UNKNOWN, MISSING, ALL = "missing or unknown", "missing", "all"


def _ascending(edges: tuple[float, ...]) -> tuple[float, ...]:
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError("edges must ascend")
    return edges


class Settings(Section):
    """Of a counted matrix."""

    state: str = Field("state", description="categorical input of the rows of the matrix")
    score: str = Field("credit_score", description="numeric input of its bands")
    edges: Annotated[tuple[float, ...], AfterValidator(_ascending)] = Field(
        (580.0, 620.0, 660.0, 700.0, 740.0, 780.0),
        min_length=1,
        description="where bands begin, after the lowest; a missing score has a band of its own",
    )
    prior_rows: float = Field(
        20.0, gt=0, description="rows of its state's moves, or rate, that a cell leans on"
    )
    chained: bool = Field(
        True, description="count moves of one period and chain them; false: count the label"
    )


def supports(target: Head) -> bool:
    """Return whether the head is of an event that comes about or does not."""
    return isinstance(target, BinaryHead)


def fit(evidence: Evidence, target: Head, settings: Settings) -> Fitted:
    """Return the matrix counted on all training rows.

    A spec that lacks the score gives the moves by state alone. One that lacks the state gives the rates by
    score, one that lacks both, the rate of all rows.
    """
    train, axes = evidence.rows("train"), Axes.of(evidence.spec, settings)
    chain, why = chain_of(axes, train, target, settings)
    rates, weights = counted(axes, train, settings.prior_rows) if chain is None else chain.rates()
    cells = axes.table(rates, weights)
    if chain is not None:
        cells = [cell | {"moves": moves} for cell, moves in zip(cells, chain.in_words(), strict=True)]
    columns = TreeColumns(evidence.spec, axes.ranks)
    network = trees_as_onnx(columns, [axes.tree(rates)], "probability")
    return Fitted(network, {"inputs": axes.inputs, "counted": why, "cells": cells})


def chain_of(axes: "Axes", rows: Rows, target: Head, settings: Settings) -> tuple[CountedChain | None, str]:
    """Return the counted moves, None where only the label can be counted, and in words what was."""
    book, horizon, moves = target.moves, target.horizon_months or 0, rows.next_state
    if not settings.chained:
        return None, "the label, as asked for"
    if book is None or moves is None:
        return None, "the label: the rows say no next state"
    if axes.state is None or settings.state != "state":
        return None, "the label: the state of delinquency is no input"
    if horizon % book.period_months:
        return None, f"the label: {horizon} months are no whole periods of {book.period_months}"
    counts = counted_moves(axes.places(rows), (len(axes.states), len(axes.bands)), moves, rows.weight)
    chain = CountedChain.of(counts, book.ends(axes.states), book.periods(horizon), settings.prior_rows)
    if chain is None:
        return None, "the label: no training row moved into default"
    return chain, f"moves from one report to the next, {chain.periods} of them chained"


@dataclass(frozen=True)
class Axes:
    """The two sides of the matrix.

    Args:
        spec: of the inputs.
        state: place of the state among the columns of codes; None where the spec lacks it.
        states: what each code stands for.
        score: place of the score among the columns of numbers; None where the spec lacks it.
        edges: of its bands.
        inputs: names of those that the spec has.
    """

    spec: InputSpec
    state: int | None
    states: tuple[str, ...]
    score: int | None
    edges: tuple[float, ...]
    inputs: list[str]

    @classmethod
    def of(cls, spec: InputSpec, settings: Settings) -> "Axes":
        """Return the sides that a spec has."""
        state = next((item for item in spec.categorical if item.name == settings.state), None)
        score = next((item for item in spec.numeric if item.name == settings.score), None)
        return cls(
            spec,
            spec.code_columns.index(state.column) if state else None,
            (UNKNOWN, *state.vocabulary) if state else (ALL,),
            spec.numeric_columns.index(score.column) if score else None,
            settings.edges if score else (),
            [item.name for item in (state, score) if item],
        )

    @property
    def bands(self) -> list[str]:
        """Return what each band is, in words; the missing scores' is the last."""
        if self.score is None:
            return [ALL]
        first, last = f"below {self.edges[0]:g}", f"from {self.edges[-1]:g}"
        return [first, *(f"{low:g} to {high:g}" for low, high in pairwise(self.edges)), last, MISSING]

    @property
    def ranks(self) -> tuple[tuple[int, npt.NDArray[np.float32]], ...]:
        """Return the code of the state as the column that a tree splits on after the numbers."""
        if self.state is None:
            return ()
        return ((self.state, np.arange(len(self.states), dtype=np.float32)),)

    def places(self, rows: Rows) -> tuple[Bins, Bins]:
        """Return each row's state and band."""
        none = np.zeros(len(rows), np.int64)
        return (
            none if self.state is None else rows.codes[:, self.state].astype(np.int64),
            none if self.score is None else bins_of(rows.numeric[:, self.score], self.edges),
        )

    def tree(self, rates: Floats) -> Tree:
        """Return the tree that gives the rate of a row's cell."""
        tree = Tree()

        def add_band(state: int, band: int) -> int:
            return tree.add(LEAF, 0.0, False, float(rates[state, band]))

        def add_state(state: int) -> int:
            if self.score is None:
                return add_band(state, 0)
            return add_steps(tree, self.score, self.edges, lambda band: add_band(state, band))

        if self.state is None:
            add_state(0)
            return tree
        codes = range(1, len(self.states))  # a code is never missing: its place is that of "unknown"
        after = len(self.spec.numeric_columns)
        add_steps(tree, after, codes, lambda state: add_state(state if state < len(self.states) else 0))
        return tree

    def table(self, rates: Floats, weights: Floats) -> list[dict[str, Any]]:
        """Return the cells as plain values: state, band, weight of the training rows, rate."""
        return [
            {"state": state, "band": band, "rows": float(weights[i, j]), "rate": float(rates[i, j])}
            for i, state in enumerate(self.states)
            for j, band in enumerate(self.bands)
        ]


def counted(axes: Axes, rows: Rows, prior_rows: float) -> tuple[Floats, Floats]:
    """Return the rate and the weight of each cell, of shape (states, bands).

    A cell's rate is (events + prior_rows * rate of its state) / (rows + prior_rows), and a state's likewise
    of the rate of all rows: a cell of few rows is near its state's rate, and none is 0.
    """
    state, band = axes.places(rows)
    shape = (len(axes.states), len(axes.bands))
    weights = _sums(state, band, rows.weight, shape)
    events = _sums(state, band, rows.weight * rows.label, shape)
    overall = np.full((1, 1), events.sum() / weights.sum())
    of_state = _leaning(
        events.sum(axis=1, keepdims=True), weights.sum(axis=1, keepdims=True), overall, prior_rows
    )
    return (of_state if axes.score is None else _leaning(events, weights, of_state, prior_rows)), weights


def _sums(state: Bins, band: Bins, values: npt.NDArray[np.float32], shape: tuple[int, int]) -> Floats:
    sums = np.bincount(state * shape[1] + band, values, shape[0] * shape[1])
    return np.asarray(sums, np.float64).reshape(shape)


def _leaning(events: Floats, weights: Floats, rate: Floats, prior_rows: float) -> Floats:
    return np.asarray((events + prior_rows * rate) / (weights + prior_rows))
