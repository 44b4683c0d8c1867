"""Default within 12 months."""

from loanbook.models.heads import Head

HEAD = Head(name="default_12m", label="default_12m", horizon_months=12, output="pd_12m")
