"""A trained model in memory: its files, and what each of them says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from loanbook.book.tape_kind import Outcome
from loanbook.errors import InputError
from loanbook.models.artefact.bins import DevelopmentBins
from loanbook.models.artefact.predictor import BATCH_ROWS, Predictor
from loanbook.models.best import Best
from loanbook.models.calibration import Calibration
from loanbook.models.head import Head
from loanbook.models.heads import head
from loanbook.models.inputs.spec import InputSpec
from loanbook.settings.choice import Choice

MODEL = "model"  # the predictor that is the model itself; the others are its baselines


def network_file(predictor: str) -> str:
    """Return the file of a predictor's network: of the model, the mean of its members."""
    return f"{predictor}.onnx"


def member_file(number: int) -> str:
    """Return the file of a network's weights, for further training: those of the first member come first.

    >>> member_file(0)
    'member_0.weights.h5'
    """
    return f"member_{number}.weights.h5"


def of_predictor(target: Head, predictor: str) -> Head:
    """Return what a predictor of a model's artefact predicts.

    Args:
        target: what the model predicts.
        predictor: the model, or a baseline beside it.
    """
    return target if predictor == MODEL else target.beside


@dataclass(frozen=True)
class Artefact:
    """A registered model in memory: small enough to send to every worker process.

    A model is one member or several, networks of one kind whose mean probability it gives; beside it are the
    baselines that were fitted on the same rows.
    """

    name: str
    version: str
    files: Mapping[str, bytes]

    def json(self, file: str) -> Any:
        """Return the content of one of the JSON files."""
        return json.loads(self.files[file])

    @cached_property
    def spec(self) -> InputSpec:
        """Return the inputs that the model takes."""
        return InputSpec.model_validate_json(self.files["spec.json"])

    @cached_property
    def bins(self) -> DevelopmentBins:
        """Return the development bins and shares of inputs and scores."""
        return DevelopmentBins.model_validate_json(self.files["bins.json"])

    @cached_property
    def outcome(self) -> Outcome | None:
        """Return the tape's own outcome that it predicts, None where it predicts default as defined here."""
        content = self.json("inputs.json").get("outcome")
        return None if content is None else Outcome.model_validate(content)

    @cached_property
    def head(self) -> Head:
        """Return what the model predicts."""
        said = self.json("settings.json")["model"]["head"]
        chosen = said if isinstance(said, str) else Choice.model_validate(said)
        return head(chosen).of_tape(self.outcome).completed(self.json("inputs.json").get("measured") or {})

    @property
    def status(self) -> str:
        """Return ``ok``, ``insufficient``, or the gravest of the shortfalls."""
        return str(self.json("metrics.json")["status"])

    @property
    def teacher(self) -> str | None:
        """Return by what the network was taught, and how much that counted; None where labels alone did."""
        model = self.json("settings.json")["model"]
        if not model.get("teacher"):
            return None
        return f"{model['teacher']['name']}, whose PD counts {model['teacher_weight']:.0%}"

    def shortfalls(self, predictor: str = MODEL) -> tuple[str, ...]:
        """Return what the model, or a baseline, falls short of out of sample (see shortfalls.py)."""
        return tuple(self.json("metrics.json")["shortfalls"].get(predictor, ()))

    def scores_with(self, asked: str) -> Best:
        """Return which of its predictors scores a book, and why.

        Args:
            asked: ``best``, or a predictor's name.

        Raises:
            InputError: it has no such predictor.
        """
        if asked == "best":
            return Best.model_validate(self.json("metrics.json")["best"])
        if asked not in self.predictors:
            raise InputError(
                required=f"score.predictor: best, or one of {', '.join(self.predictors)}, which "
                f"{self.name} {self.version} has",
                found=repr(asked),
                do="correct it, or train with that baseline in train.baselines",
            )
        return Best(predictor=asked, because="score.predictor names it")

    @property
    def snapshot_id(self) -> str:
        """Return the name of the training snapshot that is the model's evidence."""
        return str(self.json("inputs.json")["snapshot"])

    @property
    def baselines(self) -> tuple[str, ...]:
        """Return the names of the baselines beside the model, the one that reports compare with first."""
        chosen = [item["name"] for item in self.json("settings.json")["train"]["baselines"]]
        return tuple(name for name in chosen if network_file(name) in self.files)

    @property
    def predictors(self) -> tuple[str, ...]:
        """Return what the artefact can predict with: the model, then its baselines."""
        return (MODEL, *self.baselines)

    @property
    def members(self) -> tuple[bytes, ...]:
        """Return the weights of each network: of a member there may be several."""
        count = sum(file.endswith(".weights.h5") for file in self.files)
        return tuple(self.files[member_file(number)] for number in range(count))

    def calibration(self, predictor: str = MODEL) -> Calibration:
        """Return the calibration of the model or of a baseline."""
        return Calibration.model_validate(self.json("calibration.json")[predictor])

    def predictor(self, name: str = MODEL, batch_rows: int = BATCH_ROWS) -> Predictor:
        """Return a predictor of the model or of a baseline; build one in each worker process."""
        network, target = self.files[network_file(name)], of_predictor(self.head, name)
        return Predictor(network, self.spec, self.calibration(name), target, batch_rows)
