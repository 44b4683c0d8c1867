"""Settings of the evaluation."""

from pydantic import Field

from loanbook.settings.section import Section


class EvaluateSettings(Section):
    """How predictions are judged."""

    threshold: float = Field(
        0.2, gt=0, lt=1, description="PD at and above which a loan counts as predicted to default"
    )
    min_defaults: int = Field(
        30, ge=1, description="defaulting borrowers below which a sample is 'insufficient'"
    )
    development_rows: int = Field(
        50_000, ge=1000, description="most rows of development loans that are judged beside the test rows"
    )
    bins: int = Field(10, ge=2, description="groups of equal size in the calibration table (deciles)")
