"""What a delivery replaces whole, as predicates on stored rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.sources.landing import Landed

Scope = Literal["full", "delta"]


@dataclass(frozen=True)
class Replaced:
    """The slices and the deliveries of a source whose stored rows are gone once the new ones are there."""

    source: str
    slices: tuple[str, ...]
    deliveries: tuple[str, ...]

    @classmethod
    def by(cls, source: str, files: Sequence[Landed], scope: Scope) -> "Replaced":
        """Return what files replace: their slices, or with scope ``delta`` no more than themselves."""
        if scope == "full":
            return cls(source, tuple(sorted({file.slice for file in files})), ())
        return cls(source, (), tuple(sorted({file.delivery for file in files})))

    def expr(self) -> Column:
        """Return whether a stored row of the source is replaced."""
        return F.col("slice").isin(*self.slices) | F.col("delivery").isin(*self.deliveries)

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Return whether a stored row of the source is replaced."""
        return row["slice"] in self.slices or row["delivery"] in self.deliveries

    def sql(self) -> str:
        """Return the condition in SQL."""
        column, names = ("slice", self.slices) if self.slices else ("delivery", self.deliveries)
        return f"{of_source(self.source)} AND {_one_of(column, names)}"


def of_source(source: str) -> str:
    """Return the predicate of a source's rows."""
    return f"source = '{source}'"


def of_slices(source: str, slices: Sequence[str]) -> str:
    """Return the predicate of the rows of some slices of a source."""
    return f"{of_source(source)} AND {_one_of('slice', slices)}"


def _one_of(column: str, names: Sequence[str]) -> str:
    listed = ", ".join("'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'" for name in names)
    return f"{column} IN ({listed})"
