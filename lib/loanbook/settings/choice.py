"""A part that is chosen by name: a backbone, a baseline."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Choice(BaseModel):
    """A module by name, and its own settings beside it, which the module itself declares.

    >>> Choice.model_validate({"name": "mlp", "units": [64, 32]}).own
    {'units': [64, 32]}
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(description="of the module; its own settings follow beside it")

    @property
    def own(self) -> dict[str, Any]:
        """Return the settings beside the name, as they were given."""
        return dict(self.model_extra or {})
