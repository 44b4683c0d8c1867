"""Settings of the book, and the default definition."""

import hashlib
from typing import Literal

from pydantic import Field

from loanbook.settings.section import Section


class DefaultDefinition(Section):
    """When a loan enters default and when it leaves it; its hash is stored wherever a label or a PD is."""

    entry_state: Literal["dpd60", "dpd90"] = "dpd90"
    cure_months: int = Field(
        3, ge=1, description="consecutive observed months below dpd30 that end a default"
    )
    cure_months_after_modification: int = Field(
        12, ge=1, description="the same after a distressed modification"
    )
    distressed_modification_is_default: bool = False
    liquidation_with_loss_is_default: bool = True

    @property
    def id(self) -> str:
        """Return ``default_definition_id``: 12 hex digits over every choice above.

        >>> DefaultDefinition().id == DefaultDefinition(cure_months=3).id  # as that is the default
        True
        >>> DefaultDefinition().id == DefaultDefinition(cure_months=6).id
        False
        """
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


class BookSettings(Section):
    """Which loans are in the book at a month."""

    stale_months: int = Field(
        3, ge=0, description="months without a report after which a loan leaves the book"
    )
