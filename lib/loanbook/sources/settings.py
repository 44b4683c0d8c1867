"""Settings of the ingest."""

from pydantic import Field

from loanbook.quality.bounds import Bounds
from loanbook.section import Section


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
