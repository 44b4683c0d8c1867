"""Settings of the scoring job."""

from typing import Literal

from pydantic import Field

from loanbook.settings.section import Section


class ScoreSettings(Section):
    """How the book is scored."""

    scenario: Literal["baseline"] = Field(
        "baseline", description="the macro path that the scores assume; part of their key"
    )
    model: str | None = Field(
        None,
        pattern=r"^[^/\s]+(/[^/\s]+)?$",
        description="NAME or NAME/VERSION of the model that scores the book; without it the one trained last",
    )
    predictor: str = Field(
        "best",
        min_length=1,
        description="best: of the model and its baselines the one with the least log loss on development "
        "loans that it was not fitted on; model; or the name of a baseline",
    )
    batch_rows: int = Field(1024, ge=1, description="rows of one call of the model")
