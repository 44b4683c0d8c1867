"""Rows beyond what a model was trained on: with a number less than the least, or more than the most, of it.

A missing number is not beyond: models are trained on what is missing too.
"""

import numpy as np
import numpy.typing as npt
from pyspark.sql import Column
from pyspark.sql import functions as F

from loanbook.models.inputs.model_inputs import finite_number
from loanbook.models.inputs.spec import InputSpec, NumericInput

OUT_OF_SUPPORT = "out_of_support"


def says_support(spec: InputSpec) -> bool:
    """Return whether the spec says what its training rows support; one of an earlier version does not."""
    return all(item.least is not None and item.most is not None for item in spec.numeric)


def inputs_beyond(spec: InputSpec) -> Column:
    """Return the names of a row's numbers beyond their support, from the features: an array, mostly empty."""
    names = (
        [F.when(_is_beyond(item), F.lit(item.name)) for item in spec.numeric] if says_support(spec) else []
    )
    return F.filter(F.array(*names).cast("array<string>"), lambda name: name.isNotNull())


def _is_beyond(item: NumericInput) -> Column:
    number = finite_number(F.expr(item.expression), "float")
    return (number < F.lit(item.least)) | (number > F.lit(item.most))


def out_of_support(numeric: npt.NDArray[np.float32], spec: InputSpec) -> npt.NDArray[np.bool_]:
    """Return whether any of a row's numbers is beyond its support.

    Args:
        numeric: of shape (rows, columns of numbers), NaN for missing.
        spec: one that says its support.
    """
    values = numeric[:, : len(spec.numeric)]
    least, most = (np.array([getattr(item, end) for item in spec.numeric]) for end in ("least", "most"))
    found: npt.NDArray[np.bool_] = ((values < least) | (values > most)).any(axis=1)
    return found
