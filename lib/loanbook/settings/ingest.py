"""Settings of the ingest."""

from typing import Annotated

from pydantic import AfterValidator, Field

from loanbook.settings.section import Section


def _in_order(bounds: tuple[float, float]) -> tuple[float, float]:
    if not bounds[0] <= bounds[1]:
        raise ValueError("the least comes first, then the greatest")
    return bounds


LeastGreatest = Annotated[tuple[float, float], AfterValidator(_in_order)]


class Bounds(Section):
    """How far the totals of a new delivery may move from the last one's: the least and the greatest.

    ``rows`` and ``upb`` are ratios of new to last, ``delinquent_share`` is a difference of shares,
    ``new_loans`` and ``vanished_loans`` are shares of the loans that were there.
    """

    rows: LeastGreatest = (0.5, 3.0)
    upb: LeastGreatest = (0.5, 3.0)
    delinquent_share: LeastGreatest = (-0.1, 0.1)
    new_loans: LeastGreatest = (0.0, 1.0)
    vanished_loans: LeastGreatest = (0.0, 0.1)


class IngestSettings(Section):
    """What an ingest accepts."""

    max_quarantined_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of a delivery's lines in quarantine above which nothing is published",
    )
    max_repeated_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of a delivery's rows with the loan and month of another above which nothing is "
        "published",
    )
    max_lost_class_share: float = Field(
        0.0001,
        ge=0,
        le=1,
        description="share of a delivery's rows above which a month, a state, or a value without a state may "
        "not be rejected as a whole; 1 allows it",
    )
    bounds: Bounds = Bounds()
