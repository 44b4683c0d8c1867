"""Default within 12 months."""

from loanbook.models.binary_head import BinaryHead

HEAD = BinaryHead(
    name="default_12m",
    label="default_12m",
    labelled="observed",
    horizon_months=12,
    fills=("pd_12m",),
    event="default within 12 months",
)
