"""Settings of the scoring job."""

from pydantic import Field

from loanbook.section import Section


class ScoreSettings(Section):
    """How the book is scored."""

    scenario: str = Field(
        "baseline", description="name of the macro path the scores assume; part of their key"
    )
    batch_rows: int = Field(8192, ge=1, description="rows of one call of the model")
