"""Settings of how runs share a warehouse."""

from pydantic import Field

from loanbook.settings.section import Section


class WriterSettings(Section):
    """How runs that write the same tables wait for each other."""

    wait_seconds: float = Field(
        3600, ge=0, description="a run waits so long for another that writes its tables"
    )
    dead_after_seconds: float = Field(
        60,
        gt=0,
        description="a writer without a sign of life for so long is dead, if its process cannot be seen",
    )
