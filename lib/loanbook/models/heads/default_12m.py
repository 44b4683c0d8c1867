"""Default within 12 months."""

from loanbook.models.heads import Head

HEAD = Head(
    name="default_12m",
    label="default_12m",
    labelled="observed",
    horizon_months=12,
    outputs=("pd_12m",),
    event="default within 12 months",
)
