"""What a feature, a theme of features and the inputs of the panel are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from pyspark.sql import DataFrame

Transform = Callable[[DataFrame], DataFrame]


@dataclass(frozen=True)
class Feature:
    """One feature of a loan at a month, as the catalogue describes it.

    Args:
        type: Spark SQL type of its column.
        known: since when its inputs are known: ``origination``, the ``report`` of the month or one before,
            or the ``publication`` of a series, by its lag.
        low: least value that it can have; None: no bound.
        high: greatest value.
        actionable: whether the borrower or the lender can still change it.
        expected_sign: of its effect on the default probability; ``?`` where none is expected.
        roll_forward: what a projection does with it: ``static`` keeps it, ``deterministic`` moves it with the
            calendar and the contract, ``macro`` reads a macro path, ``path`` follows the projected states.
        log: whether a network takes log(1 + x).
        default_input: whether a model takes it unless told otherwise.
    """

    name: str
    kind: Literal["numeric", "categorical"]
    type: str
    unit: str
    description: str
    theme: str
    reason_code: str
    reason_text: str
    actionable: bool
    expected_sign: Literal["+", "-", "?"]
    roll_forward: Literal["static", "deterministic", "macro", "path"]
    known: Literal["origination", "report", "publication"]
    low: float | None = None
    high: float | None = None
    log: bool = False
    default_input: bool = True


@dataclass(frozen=True)
class PanelInputs:
    """What the panel of one source is built from.

    Args:
        performance: reported rows up to ``last_month``, and possibly later ones, which are not read.
        loans: one row a loan, as first reported.
        macro: what was known of the economy, by area and month (see macro_known.py); None without any.
        last_month: last month of the panel, as a number (see months.py).
        stale_months: months without a report after which a loan leaves the book.
        rebuilt: whether the months were made from a final status: then no behavioural feature is known.
        case_control: whether loans were drawn by what became of them: then every row is flagged.
    """

    performance: DataFrame
    loans: DataFrame
    macro: pd.DataFrame | None
    last_month: int
    stale_months: int
    rebuilt: bool = False
    case_control: bool = False


@dataclass(frozen=True)
class Theme:
    """Features that are computed together: ``transform`` adds their columns to the book's rows."""

    features: tuple[Feature, ...]
    transform: Callable[[PanelInputs], Transform]
