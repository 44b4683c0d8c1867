"""The one way in: features become what a model takes here and nowhere else."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.models.inputs.spec import (
    CategoricalInput,
    CategoricalSequence,
    InputSpec,
    NumericInput,
    NumericSequence,
    TextInput,
)
from loanbook.models.inputs.words import words_expr


def model_inputs(df: DataFrame, spec: InputSpec, keep: Sequence[str] = ()) -> DataFrame:
    """Return ``keep``, then the columns of numbers (float32, NaN for missing), then those of codes (int32).

    Numbers are ``x_<name>`` and, of a sequence, ``s_<name>_<step>``; codes are ``c_<name>`` (0 for unknown),
    ``t_<name>_<place>`` of a text (0 after the last known word) and ``s_<name>_<step>``.

    Raises:
        InputError: the features lack a column that the spec reads; it is named.
    """
    require_columns(df, [*spec.feature_columns, *keep])
    whole = [numeric_column(item) for item in spec.numeric]
    whole += [column for item in spec.numeric_sequences for column in step_numbers(item)]
    whole += [code_column(item) for item in spec.categorical]
    whole += [column for item in spec.categorical_sequences for column in step_codes(item)]
    # First an array a text, then its places: in one select Spark would read a text once for each place.
    prepared = df.select(*keep, *whole, *[tokens_column(item) for item in spec.text])
    places = {name: place for item in spec.text for name, place in place_columns(item).items()}
    in_order = [places.get(name, F.col(name)) for name in (*spec.numeric_columns, *spec.code_columns)]
    return prepared.select(*keep, *in_order)


def require_columns(df: DataFrame, columns: Sequence[str]) -> None:
    """Refuse features that lack one of ``columns``.

    Raises:
        InputError: names the missing ones.
    """
    lacking = [column for column in columns if column not in df.columns]
    if lacking:
        raise InputError(
            required=f"features with the columns {', '.join(columns)}",
            found=f"no column {', '.join(lacking)}",
            do="use a model trained on this version of the features, or rebuild the features and train again",
        )


def numeric_column(item: NumericInput) -> Column:
    """Return the float32 column of a numeric input."""
    return _or_nan(finite_number(F.expr(item.expression), "float")).alias(item.column)


def _or_nan(number: Column) -> Column:
    return F.coalesce(number, F.lit(float("nan")).cast("float"))


def finite_number(number: Column, spark_type: str) -> Column:
    """Return a number, null where it is NaN or no float32 can hold it.

    One infinity among its inputs makes a network's every weight NaN.
    """
    return F.when(F.abs(number.cast("float")) < F.lit(float("inf")), number.cast(spark_type))


def code_column(item: CategoricalInput) -> Column:
    """Return the int32 codes of a categorical input."""
    vocabulary = F.array(*[F.lit(value) for value in item.vocabulary])
    code = F.array_position(vocabulary, F.expr(item.expression).cast("string"))
    return F.coalesce(code, F.lit(0)).cast("int").alias(item.column)


def tokens_column(item: TextInput) -> Column:
    """Return the codes of a text's first known words, an array of at most ``item.tokens``."""
    words = words_expr(F.coalesce(F.expr(item.expression), F.lit("")))
    known = F.filter(words, lambda word: word.isin(*item.vocabulary))
    vocabulary = F.array(*[F.lit(word) for word in item.vocabulary])
    codes = F.transform(F.slice(known, 1, item.tokens), lambda word: F.array_position(vocabulary, word))
    return codes.alias(item.column)


def place_columns(item: TextInput) -> dict[str, Column]:
    """Return the int32 columns of a text's places by name, from its column of tokens."""
    return {
        name: F.coalesce(F.get(item.column, F.lit(place)), F.lit(0)).cast("int").alias(name)
        for place, name in enumerate(item.columns)
    }


def step_numbers(item: NumericSequence) -> list[Column]:
    """Return the float32 columns of a sequence's steps, NaN for missing."""
    return [
        _or_nan(finite_number(F.get(F.expr(item.expression), F.lit(step)), "float")).alias(name)
        for step, name in enumerate(item.columns)
    ]


def step_codes(item: CategoricalSequence) -> list[Column]:
    """Return the int32 columns of a sequence's steps, 0 for missing and for a code beyond training's."""
    codes = [F.get(F.expr(item.expression), F.lit(step)) for step in range(item.steps)]
    return [
        F.when(code.between(1, item.size - 1), code).otherwise(F.lit(0)).cast("int").alias(name)
        for code, name in zip(codes, item.columns, strict=True)
    ]
