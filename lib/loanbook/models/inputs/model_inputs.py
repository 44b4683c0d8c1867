"""The one way in: features become what a model takes here and nowhere else."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.models.inputs.spec import CategoricalInput, InputSpec, NumericInput, TextInput

WORD = r"[\p{L}\p{N}]{2,}"


def model_inputs(df: DataFrame, spec: InputSpec, keep: Sequence[str] = ()) -> DataFrame:
    """Return ``keep``, then float32 ``x_<name>`` (NaN for missing), then int32 codes.

    These are ``c_<name>`` (0 for unknown), then ``t_<name>_<place>`` (0 after the last known word).

    Raises:
        InputError: the features lack a column that the spec reads; it is named.
    """
    require_columns(df, [*spec.feature_columns, *keep])
    numeric = [numeric_column(item) for item in spec.numeric]
    codes = [code_column(item) for item in spec.categorical]
    # First an array a text, then its places: in one select Spark would read a text once for each place.
    prepared = df.select(*keep, *numeric, *codes, *[tokens_column(item) for item in spec.text])
    places = [place for item in spec.text for place in place_columns(item)]
    whole = prepared.columns[: len(prepared.columns) - len(spec.text)]
    return prepared.select(*whole, *places) if spec.text else prepared


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
    missing = F.lit(float("nan")).cast("float")
    return F.coalesce(finite_number(item.expression, "float"), missing).alias(item.column)


def finite_number(expression: str, spark_type: str) -> Column:
    """Return a numeric feature, null where it is NaN or no float32 can hold it.

    One infinity among its inputs makes a network's every weight NaN.
    """
    number = F.expr(expression)
    return F.when(F.abs(number.cast("float")) < F.lit(float("inf")), number.cast(spark_type))


def code_column(item: CategoricalInput) -> Column:
    """Return the int32 codes of a categorical input."""
    vocabulary = F.array(*[F.lit(value) for value in item.vocabulary])
    code = F.array_position(vocabulary, F.expr(item.expression).cast("string"))
    return F.coalesce(code, F.lit(0)).cast("int").alias(item.column)


def words_expr(text: Column) -> Column:
    """Return the words of a text: runs of at least two letters or digits, in lower case."""
    return F.regexp_extract_all(F.lower(text), F.lit(WORD), F.lit(0))


def tokens_column(item: TextInput) -> Column:
    """Return the codes of a text's first known words, an array of at most ``item.tokens``."""
    words = words_expr(F.coalesce(F.expr(item.expression), F.lit("")))
    known = F.filter(words, lambda word: word.isin(*item.vocabulary))
    vocabulary = F.array(*[F.lit(word) for word in item.vocabulary])
    codes = F.transform(F.slice(known, 1, item.tokens), lambda word: F.array_position(vocabulary, word))
    return codes.alias(item.column)


def place_columns(item: TextInput) -> list[Column]:
    """Return the int32 columns of a text's places, from its column of tokens."""
    return [
        F.coalesce(F.get(item.column, F.lit(place)), F.lit(0)).cast("int").alias(name)
        for place, name in enumerate(item.columns)
    ]
