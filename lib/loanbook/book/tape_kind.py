"""What kind of data a source's features are: a model must have been trained on the same to score them."""

import json
from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError

IDS = ("catalogue_id", "default_definition_id", "knowledge")  # columns of features


class Outcome(BaseModel):
    """A tape's own outcome, as its mapping declares it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    definition: str
    horizon_months: int | Literal["to_maturity"]
    grain: Literal["loan", "loan_month"]

    def __str__(self) -> str:
        """Return it in words.

        >>> str(Outcome(definition="charged off", horizon_months="to_maturity", grain="loan"))
        'charged off, up to maturity'
        """
        return f"{self.definition}, {self.within}"

    @property
    def is_of_applications(self) -> bool:
        """Return whether the tape says once for each loan what became of it, as files of applications do."""
        return self.grain == "loan"

    @property
    def within(self) -> str:
        """Return the horizon in words.

        >>> Outcome(definition="default", horizon_months=1, grain="loan_month").within
        'within 1 month'
        """
        if self.horizon_months == "to_maturity":
            return "up to maturity"
        return f"within {self.horizon_months} month{'' if self.horizon_months == 1 else 's'}"


class TapeKind(BaseModel):
    """What the deliveries of a source say of all its rows."""

    model_config = ConfigDict(frozen=True)

    source: str
    period_months: int = 1
    sampling: Literal["population", "case_control"] = "population"
    outcome: Outcome | None = None


def tape_kind(deliveries: DataFrame | None, source: str) -> TapeKind:
    """Return the kind of a source's tape, from its deliveries of performance.

    Features that were made without any delivery are taken for those of a monthly population. Of several
    periods the longest counts; one case-control delivery makes the whole a case-control sample.

    Args:
        deliveries: of the source, None where none are published.
        source: its name.

    Raises:
        InputError: its deliveries declare several outcomes of their own.
    """
    if deliveries is None:
        return TapeKind(source=source)
    rows = deliveries.where(F.col("kind") == "performance")
    found = rows.select("period_months", "sampling", "outcome").distinct().collect()
    return TapeKind(
        source=source,
        period_months=max((row["period_months"] for row in found), default=1),
        sampling="case_control" if any(row["sampling"] == "case_control" for row in found) else "population",
        outcome=declared_outcome(source, {row["outcome"] for row in found if row["outcome"]}),
    )


def declared_outcome(source: str, texts: Collection[str]) -> Outcome | None:
    """Return the outcome that a source's deliveries declare, None where none does.

    Args:
        source: its name, for the message.
        texts: the ``outcome`` of each delivery, as JSON.

    Raises:
        InputError: they declare several.

    >>> text = '{"definition": "charged off", "horizon_months": 24, "grain": "loan"}'
    >>> declared_outcome("cards", [text, text]).within
    'within 24 months'
    """
    outcomes = {Outcome.model_validate(json.loads(text)) for text in texts}
    if len(outcomes) > 1:
        raise InputError(
            required=f"one outcome of its own in all deliveries of {source}",
            found="; ".join(sorted(map(str, outcomes))),
            do="ingest every slice again with the present mapping, or give the other outcome its own source",
        )
    return next(iter(outcomes), None)


def feature_ids(features: DataFrame) -> dict[str, list[str]]:
    """Return, by column of ``IDS``, the values that rows of features were made with."""
    sets = features.agg(*(F.collect_set(name).alias(name) for name in IDS)).collect()[0]
    return {name: sorted(sets[name]) for name in IDS}
