"""Fits the vocabularies of categories and texts on training rows."""

import logging
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.models.inputs.spec import Candidate, CategoricalInput, TextInput
from loanbook.models.inputs.words import words_expr
from loanbook.settings.train import TrainSettings

logger = logging.getLogger(__name__)


def fit_categorical(
    features: DataFrame, candidates: Sequence[Candidate], settings: TrainSettings
) -> tuple[CategoricalInput, ...]:
    """Return the categories with the most frequent values of the training rows, counted in rows."""
    if not candidates:
        return ()
    counts = features.select(_pairs(candidates)).groupBy("pair.name", "pair.value").count()
    vocabularies = _vocabularies(counts, candidates, settings.vocabulary_min_rows, settings.max_vocabulary)
    return tuple(
        CategoricalInput(name=item.name, expression=item.expression, vocabulary=vocabularies[item.name])
        for item in candidates
        if item.name in vocabularies
    )


def fit_text(
    features: DataFrame, candidates: Sequence[Candidate], settings: TrainSettings
) -> tuple[TextInput, ...]:
    """Return the texts with the most frequent words of the training rows, counted in loans."""
    if not candidates:
        return ()
    vocabularies = _vocabularies(
        _loans_by_word(features, candidates),
        candidates,
        settings.vocabulary_min_rows,
        settings.max_text_words,
    )
    return tuple(
        TextInput(
            name=item.name,
            expression=item.expression,
            vocabulary=vocabularies[item.name],
            tokens=settings.text_tokens,
        )
        for item in candidates
        if item.name in vocabularies
    )


def _loans_by_word(features: DataFrame, candidates: Sequence[Candidate]) -> DataFrame:
    """Return text, word and the number of loans that have it: a loan's many months count once."""
    texts = features.select("source", "loan_id", _pairs(candidates)).distinct()
    words = texts.select(
        "source",
        "loan_id",
        F.col("pair.name").alias("name"),
        F.explode(words_expr(F.col("pair.value"))).alias("value"),
    )
    return words.distinct().groupBy("name", "value").count()


def _pairs(candidates: Sequence[Candidate]) -> Column:
    """Return a row for each candidate: its name and its value."""
    pairs = [
        F.struct(F.lit(item.name).alias("name"), F.expr(item.expression).cast("string").alias("value"))
        for item in candidates
    ]
    return F.explode(F.array(*pairs)).alias("pair")


def _vocabularies(
    counts: DataFrame, candidates: Sequence[Candidate], least: int, most: int
) -> dict[str, tuple[str, ...]]:
    """Return the values of each candidate by name, the most frequent first, then in alphabetical order.

    Args:
        counts: ``name``, ``value`` and ``count``.
        candidates: those without a frequent value have no vocabulary.
        least: count of a value that is frequent.
        most: values kept of a candidate.
    """
    found: dict[str, list[tuple[int, str]]] = {item.name: [] for item in candidates}
    for row in counts.where(F.col("value").isNotNull() & (F.col("count") >= least)).collect():
        found[row["name"]].append((-int(row["count"]), str(row["value"])))
    for name, ranked in found.items():
        if not ranked:
            logger.info("input %s is left out: nothing in it is frequent enough in the training rows", name)
    return {
        name: tuple(value for _, value in sorted(ranked)[:most]) for name, ranked in found.items() if ranked
    }
