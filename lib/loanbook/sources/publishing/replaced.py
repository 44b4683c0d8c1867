"""What a delivery replaces whole, as predicates on stored rows."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeVar

from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.sources.landing.landing import Landed
from loanbook.tables.columns import among, of_source

Scope = Literal["full", "delta"]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Replaced:
    """The slices and the deliveries of a source whose stored rows are gone once the new ones are there.

    Of the slices the rows of ``kept`` deliveries stay: deltas that are not older than the new files.
    """

    source: str
    slices: tuple[str, ...]
    deliveries: tuple[str, ...]
    kept: tuple[str, ...] = ()

    @classmethod
    def by(
        cls, source: str, files: Sequence[Landed], scope: Scope, stored: Sequence[Mapping[str, Any]]
    ) -> "Replaced":
        """Return what files replace: their slices, or with scope ``delta`` no more than themselves.

        ``stored`` are the source's rows of ``deliveries``.
        """
        own = tuple(sorted({file.delivery for file in files}))
        if scope == "delta":
            return cls(source, (), own)
        days = newest((file.slice, file.delivered_at) for file in files)
        kept = {
            row["delivery"]
            for row in stored
            if row["scope"] == "delta"
            and row["delivery"] not in own
            and row["delivered_at"] is not None
            and row["delivered_at"] >= days.get(row["slice"], date.max)
        }
        return cls(source, tuple(sorted({file.slice for file in files})), (), tuple(sorted(kept)))

    def expr(self) -> Column:
        """Return whether a stored row of the source is replaced."""
        of_slices = F.col("slice").isin(*self.slices) & ~F.col("delivery").isin(*self.kept)
        return of_slices | F.col("delivery").isin(*self.deliveries)

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Return whether a stored row of the source is replaced."""
        of_slices = row["slice"] in self.slices and row["delivery"] not in self.kept
        return of_slices or row["delivery"] in self.deliveries

    def sql(self) -> str:
        """Return the condition in SQL."""
        column, names = ("slice", self.slices) if self.slices else ("delivery", self.deliveries)
        kept = f" AND NOT {among('delivery', self.kept)}" if self.kept else ""
        return f"{of_source(self.source)} AND {among(column, names)}{kept}"


def newest(days: Iterable[tuple[Key, date | None]]) -> dict[Key, date]:
    """Return the latest day of each key, leaving out those without any."""
    found: dict[Key, date] = {}
    for key, day in days:
        if day is not None:
            found[key] = max(day, found.get(key, day))
    return found


def of_slices(source: str, slices: Sequence[str]) -> str:
    """Return the predicate of the rows of some slices of a source."""
    return f"{of_source(source)} AND {among('slice', slices)}"
