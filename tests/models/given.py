"""Rows in memory as the evidence of a baseline, and what its file says of rows."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from loanbook.models.artefact.predictor import Predictor
from loanbook.models.baselines import baseline
from loanbook.models.calibration import Calibration
from loanbook.models.heads import head
from loanbook.models.inputs.rows import Rows
from loanbook.models.inputs.spec import CategoricalInput, InputSpec, NumericInput
from loanbook.settings.choice import Choice


@dataclass(frozen=True)
class Given:
    spec: InputSpec
    train: Rows
    tune: Rows

    def rows(self, role: str, limit: int | None = None) -> Rows:
        some, own = slice(limit), {"train": self.train, "tune": self.tune}[role]
        known = {item.name: getattr(own, item.name) for item in fields(own)}
        return replace(own, **{name: part[some] for name, part in known.items() if part is not None})


def number(name: str) -> NumericInput:
    return NumericInput(
        name=name, expression=name, log=False, low=-9, high=9, fill=0, mean=0, std=1, missing_share=0.1
    )


def category(name: str, *vocabulary: str) -> CategoricalInput:
    return CategoricalInput(name=name, expression=name, vocabulary=vocabulary)


def rows_of(numeric: Any, codes: Any, label: Any, weight: Any = None) -> Rows:
    y = np.asarray(label, np.float32)
    x = np.asarray(numeric, np.float32).reshape(len(y), -1)
    c = np.zeros((len(y), 0), np.int32) if codes is None else np.asarray(codes, np.int32).reshape(len(y), -1)
    return Rows(x, c, y[:, None], y, np.ones_like(y) if weight is None else np.asarray(weight, np.float32))


def fitted(evidence: Given, name: str, **own: Any) -> Any:
    module, settings = baseline(Choice.model_validate({"name": name, **own}))
    return module.fit(evidence, head("default_12m"), settings)


def predicted(network: bytes, spec: InputSpec, rows: Rows) -> Any:
    return Predictor(network, spec, Calibration(method="identity"), head("default_12m")).predict(
        *rows.inputs
    )[0][:, 0]
