"""The pandas UDF: prepared inputs to PDs, one ONNX Runtime session in each worker process."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from loanbook.models.artefact.artefact import Artefact
from loanbook.models.artefact.predictor import Predictor
from loanbook.models.calibration import Calibration
from loanbook.models.inputs.spec import InputSpec

PDS = "pd_raw DOUBLE, pd DOUBLE"


@dataclass(frozen=True)
class WorkerModel:
    """What a worker process needs of an artefact; ``key`` is a hash of it."""

    key: str
    network: bytes
    spec: str
    calibration: str
    batch_rows: int

    @classmethod
    def of(cls, artefact: Artefact, batch_rows: int) -> "WorkerModel":
        """Return the parts of the network that scores the book."""
        network, spec = artefact.files["model.onnx"], artefact.spec.model_dump_json()
        calibration = artefact.calibration().model_dump_json()
        parts = (network, spec.encode(), calibration.encode(), str(batch_rows).encode())
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
        return cls(digest, network, spec, calibration, batch_rows)


_predictors: dict[str, Predictor] = {}


def worker_predictor(model: WorkerModel) -> Predictor:
    """Return this process's predictor, built when the process first meets the model."""
    if model.key not in _predictors:
        _predictors.clear()  # a long-lived worker keeps one network, not every one it ever met
        spec = InputSpec.model_validate_json(model.spec)
        calibration = Calibration.model_validate_json(model.calibration)
        _predictors[model.key] = Predictor(model.network, spec, calibration, model.batch_rows)
    return _predictors[model.key]


def packed_inputs(spec: InputSpec) -> tuple[Column, Column]:
    """Return one array column of the numbers and one of the codes: far cheaper to move than a column each."""
    numeric = F.array(*[F.col(name) for name in spec.numeric_columns]).cast("array<float>")
    codes = F.array(*[F.col(name) for name in spec.code_columns]).cast("array<int>")
    return numeric, codes


def pd_udf(model: WorkerModel) -> Callable[[Column, Column], Column]:
    """Return a function of the two packed columns that gives a struct ``pd_raw``, ``pd``."""

    def predict(batches: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.DataFrame]:
        predictor = worker_predictor(model)
        for numeric, codes in batches:
            raw, calibrated = predictor.predict(
                stacked(numeric, len(predictor.spec.numeric), np.float32),
                stacked(codes, len(predictor.spec.code_columns), np.int32),
            )
            yield pd.DataFrame({"pd_raw": raw, "pd": calibrated})

    udf: Any = pandas_udf
    return cast(Callable[[Column, Column], Column], udf(predict, PDS))  # its kind follows from the type hints


def stacked(rows: "pd.Series[Any]", width: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return arrays of ``width`` values, one a row, as one array of shape (rows, width)."""
    return np.vstack(rows.to_list()).astype(dtype) if len(rows) else np.zeros((0, width), dtype)
