"""What the profile asks of Spark."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from loanbook.settings.section import Section


def _spark_text(value: Any) -> Any:
    """Return a value of YAML or of the command line as Spark writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


class SparkSettings(Section):
    """What the profile asks of Spark, set only where spark-submit or the session has not set it."""

    master: str | None = None
    conf: dict[str, Annotated[str, BeforeValidator(_spark_text)]] = Field(default_factory=dict)
