"""Default within 24 months."""

from loanbook.models.binary_head import BinaryHead

HEAD = BinaryHead(
    name="default_24m",
    label="default_24m",
    labelled="observed",
    horizon_months=24,
    fills=("pd_24m",),
    event="default within 24 months",
)
