"""The settings of an architecture: a file in ``conf/models/``."""

from typing import Literal

from pydantic import Field, model_validator

from loanbook.settings.choice import Choice
from loanbook.settings.files import conf_file, load_yaml
from loanbook.settings.section import Section, validated

Scaling = Literal["standard", "robust"]


class Schedule(Section):
    """The learning rate by optimizer step t: constant, divided by 1 + t / decay_steps, or a cosine."""

    kind: Literal["constant", "inverse_time", "cosine"] = Field(
        "constant", description="constant, or falling; a cosine arrives at 0 after all epochs"
    )
    decay_steps: int = Field(800, ge=1, description="steps after which an inverse_time rate has halved")
    warmup_epochs: int = Field(2, ge=0, description="over which the rate grows to workers x learning_rate")
    rise_epochs: float = Field(0.0, ge=0, description="over which the rate grows from 0 first")


class Emphasis(Section):
    """What the loss makes more of than its share, for comparison: plain likelihood is 1 and 0."""

    positive_weight: float = Field(
        1.0, gt=0, description="of a row where the event came about; of a head with one unit"
    )
    focal: float = Field(
        0.0, ge=0, description="power of 1 - p that weighs a row's loss, p what it gave what came about"
    )


class ModelSettings(Section):
    """An architecture and how it is fitted."""

    backbone: Choice = Field(description="a module of loanbook.models.backbones, and its settings")
    head: str | Choice | None = Field(
        None,
        description="a module of loanbook.models.heads, and its settings; without it the tape's own outcome "
        "where it declares one, else default_12m",
    )
    inputs_added: tuple[str, ...] = Field(
        (), description="features that it takes besides those of train.inputs_added, such as state_last_12m"
    )
    scaling: Scaling = Field(
        "standard",
        description="of numbers: by mean and standard deviation, or robust: by median and quartiles, with a "
        "smooth end at 3",
    )
    teacher: Choice | None = Field(
        None,
        description="a module of loanbook.models.baselines, and its settings, that teaches the network; "
        "without it labels alone do",
    )
    teacher_weight: float = Field(
        0.7,
        gt=0,
        le=1,
        description="of the teacher's PD in what the network is to say; the label has the rest",
    )
    optimizer: Literal["adam", "sgd"] = Field(
        "adam", description="the rule by which weights follow gradients"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="of SGD")
    learning_rate: float = Field(1e-3, gt=0, description="of one worker")
    schedule: Schedule = Schedule()
    weight_decay: float = Field(
        0.0, ge=0, description="share of each layer's kernel, times the rate, that a step takes off (AdamW)"
    )
    clip_norm: float | None = Field(
        None, gt=0, description="the greatest norm of all gradients together; without it any"
    )
    emphasis: Emphasis = Emphasis()
    batch_size: int = Field(4096, ge=1, description="rows per step and worker")
    epochs: int = Field(30, ge=0, description="at most")
    patience: int = Field(5, ge=1, description="epochs without a better tune log loss before training stops")

    mixed_precision: bool = Field(
        False,
        description="whether the backbone's layers are computed in float16 while it trains, on GPUs alone; "
        "the model itself is float32",
    )

    @model_validator(mode="after")
    def _emphasis_of_labels(self) -> "ModelSettings":
        if self.teacher is not None and self.emphasis != Emphasis():
            raise ValueError("emphasis is of labels: leave it out, or the teacher")
        return self


def load_model_settings(name: str, batch_size: int | None = None, epochs: int | None = None) -> ModelSettings:
    """Return an architecture, with the job's overrides.

    Args:
        name: a file of ``conf/models``, or the path of a YAML file.
        batch_size: rows per step and worker; None: the file's.
        epochs: at most; None: the file's.

    Raises:
        InputError: there is no such file, or a key of it is unknown or wrong.

    >>> small = load_model_settings("mlp_64_32", epochs=3)
    >>> small.backbone.own["units"], small.epochs
    ([64, 32], 3)
    """
    content = load_yaml(conf_file("models", name, "model architecture"))
    given = {"batch_size": batch_size, "epochs": epochs}
    content |= {key: value for key, value in given.items() if value is not None}
    return validated(ModelSettings, content, f"model settings {name!r}")
