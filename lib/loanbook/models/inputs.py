"""The one way in: features become what a model takes here and nowhere else."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.models.spec import CategoricalInput, InputSpec, NumericInput


def model_inputs(df: DataFrame, spec: InputSpec, keep: Sequence[str] = ()) -> DataFrame:
    """Return ``keep``, then float32 ``x_<name>`` (NaN for missing), then int32 ``c_<name>`` (0 for unknown).

    Raises:
        InputError: the features lack a column that the spec reads; it is named.
    """
    require_columns(df, [*spec.feature_columns, *keep])
    numeric = [numeric_column(item) for item in spec.numeric]
    codes = [code_column(item) for item in spec.categorical]
    return df.select(*keep, *numeric, *codes)


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
    return F.coalesce(F.expr(item.expression).cast("float"), F.lit(float("nan")).cast("float")).alias(
        item.column
    )


def code_column(item: CategoricalInput) -> Column:
    """Return the int32 codes of a categorical input."""
    vocabulary = F.array(*[F.lit(value) for value in item.vocabulary])
    code = F.array_position(vocabulary, F.expr(item.expression).cast("string"))
    return F.coalesce(code, F.lit(0)).cast("int").alias(item.column)
