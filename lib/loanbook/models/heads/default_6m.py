"""Default within 6 months."""

from loanbook.models.binary_head import BinaryHead

HEAD = BinaryHead(
    name="default_6m",
    label="default_6m",
    labelled="observed",
    horizon_months=6,
    fills=("pd_6m",),
    event="default within 6 months",
)
