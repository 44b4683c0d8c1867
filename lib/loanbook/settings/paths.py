"""Where things live."""

from typing import Annotated

from pydantic import Field

from loanbook.settings.section import Section

PathText = Annotated[str, Field(min_length=1)]


class PathSettings(Section):
    """Where things live: a local or mounted path; the warehouse's tables also under s3a: or abfss:."""

    warehouse: PathText
    models: PathText
    snapshots: PathText
    reports: PathText
    simulated: PathText
    landing: PathText
    tracking: PathText
