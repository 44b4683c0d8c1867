"""The pandas UDF: prepared inputs to probabilities, ONNX Runtime sessions kept in each worker process.

Several models are asked in one pass over the rows: those that take the same inputs share them.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from loanbook.models.artefact.artefact import MODEL, Artefact, network_file, of_predictor
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.head import Head
from loanbook.models.inputs.model_inputs import model_inputs
from loanbook.models.inputs.spec import InputSpec

PREDICTED = "_predicted"  # working columns begin with it


@dataclass(frozen=True)
class WorkerModel:
    """What a worker process needs of a predictor; ``key`` is a hash of it."""

    key: str
    network: bytes
    spec: str
    calibration: str
    batch_rows: int
    target: Head

    @classmethod
    def of(cls, artefact: Artefact, batch_rows: int, predictor: str = MODEL) -> "WorkerModel":
        """Return the parts of an artefact's model, or of one of its baselines."""
        network, spec = artefact.files[network_file(predictor)], artefact.spec.model_dump_json()
        calibration = artefact.calibration(predictor).model_dump_json()
        target = of_predictor(artefact.head, predictor)
        said = (spec, calibration, str(batch_rows), repr(target))
        parts = (network, *(text.encode() for text in said))
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
        return cls(digest, network, spec, calibration, batch_rows, target)


@dataclass(frozen=True)
class Predicted:
    """Columns of a model's probabilities, one for each output of its head, as given and calibrated."""

    raw: Sequence[Column]
    calibrated: Sequence[Column]


_predictors: dict[str, Predictor] = {}


def worker_predictors(models: Sequence[WorkerModel]) -> list[Predictor]:
    """Return this process's predictors, built when the process first meets the models."""
    keys = [model.key for model in models]
    if not set(keys) <= set(_predictors):
        _predictors.clear()  # a long-lived worker keeps the networks in use, not every one it ever met
    for model in models:
        if model.key not in _predictors:
            spec = InputSpec.model_validate_json(model.spec)
            calibration = Calibration.model_validate_json(model.calibration)
            _predictors[model.key] = Predictor(
                model.network, spec, calibration, model.target, model.batch_rows
            )
    return [_predictors[key] for key in keys]


def predicted(
    features: DataFrame, models: Mapping[str, WorkerModel]
) -> tuple[DataFrame, dict[str, Predicted]]:
    """Return the features with what each model says of them, in one pass, and the columns that hold it.

    Args:
        features: a row for each loan and month to predict; its columns stay.
        models: by a name of the caller's choice.

    Raises:
        InputError: the features lack a column that a model reads; it is named.
    """
    specs = list(dict.fromkeys(model.spec for model in models.values()))
    inputs = features
    for number, spec in enumerate(specs):
        inputs = _with_inputs(inputs, InputSpec.model_validate_json(spec), number)
    asked = [(model, specs.index(model.spec)) for model in models.values()]
    packed = [F.col(_packed(kind, number)) for number in range(len(specs)) for kind in ("numeric", "codes")]
    answered = inputs.withColumn(PREDICTED, predict_udf(asked)(*packed))
    kept = answered.select(*features.columns, PREDICTED)
    return kept, {
        name: Predicted(
            *(
                [F.col(f"{PREDICTED}.{form}_{position}_{output}") for output in range(model.target.outputs)]
                for form in ("raw", "calibrated")
            )
        )
        for position, (name, model) in enumerate(models.items())
    }


def _packed(kind: str, number: int) -> str:
    return f"{PREDICTED}_{kind}_{number}"


def _with_inputs(features: DataFrame, spec: InputSpec, number: int) -> DataFrame:
    """Add one array column of numbers and one of codes: far cheaper to move to Python than a column each."""
    inputs = model_inputs(features, spec, keep=features.columns)
    numeric = F.array(*[F.col(name) for name in spec.numeric_columns]).cast("array<float>")
    codes = F.array(*[F.col(name) for name in spec.code_columns]).cast("array<int>")
    arrays = (numeric.alias(_packed("numeric", number)), codes.alias(_packed("codes", number)))
    return inputs.select(*features.columns, *arrays)


def predict_udf(asked: Sequence[tuple[WorkerModel, int]]) -> Callable[..., Column]:
    """Return a function of packed columns that gives a struct ``raw_<model>_<output>``, ``calibrated_...``.

    Args:
        asked: each model with the position of its pair of columns, numbers and codes, among the arguments.
    """

    def predict(batches: Iterator[tuple[pd.Series, ...]]) -> Iterator[pd.DataFrame]:
        predictors = worker_predictors([model for model, _ in asked])
        for columns in batches:
            found: dict[str, Any] = {}
            for position, ((_, pair), predictor) in enumerate(zip(asked, predictors, strict=True)):
                numeric, codes = columns[2 * pair : 2 * pair + 2]
                both = predictor.predict(
                    stacked(numeric, len(predictor.spec.numeric_columns), np.float32),
                    stacked(codes, len(predictor.spec.code_columns), np.int32),
                )
                for form, values in zip(("raw", "calibrated"), both, strict=True):
                    found |= {
                        f"{form}_{position}_{output}": values[:, output] for output in range(values.shape[1])
                    }
            yield pd.DataFrame(found)

    udf: Any = pandas_udf
    return cast(Callable[..., Column], udf(predict, _schema(asked)))  # its kind follows from the type hints


def _schema(asked: Sequence[tuple[WorkerModel, int]]) -> str:
    return ", ".join(
        f"{form}_{position}_{output} DOUBLE"
        for position, (model, _) in enumerate(asked)
        for form in ("raw", "calibrated")
        for output in range(model.target.outputs)
    )


def stacked(rows: "pd.Series[Any]", width: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return arrays of ``width`` values, one a row, as one array of shape (rows, width)."""
    return np.vstack(rows.to_list()).astype(dtype) if len(rows) else np.zeros((0, width), dtype)
