"""Settings of the training job; an architecture has its own file in ``conf/models/``."""

from functools import partial
from typing import Any, Literal

from pydantic import Field, JsonValue, field_validator, model_validator

from loanbook.errors import InputError
from loanbook.settings.choice import Choice
from loanbook.settings.section import Section


class RoleShares(Section):
    """Shares of the development loans that each role of a single network gets; they sum to 1."""

    train: float = Field(0.60, gt=0)
    tune: float = Field(0.15, gt=0)
    calibrate: float = Field(0.15, gt=0)
    calibrate_check: float = Field(0.10, gt=0)

    @model_validator(mode="after")
    def _sum_to_one(self) -> "RoleShares":
        if abs(sum(self.by_role().values()) - 1) > 1e-9:
            raise ValueError("the four shares must sum to 1")
        return self

    def by_role(self) -> dict[str, float]:
        """Return the share of each role, in the order in which loans are cut."""
        return {
            "train": self.train,
            "tune": self.tune,
            "calibrate": self.calibrate,
            "calibrate_check": self.calibrate_check,
        }


OF_ROWS: dict[str, JsonValue] = {"decides_rows": True}
RowsField: Any = partial(Field, json_schema_extra=OF_ROWS)  # of a setting that changes a snapshot's rows


CalibrationMethod = Literal["none", "intercept", "platt", "beta", "isotonic", "monotone"]


class CalibrationSettings(Section):
    """How a model's PDs are calibrated on loans that it was not fitted on."""

    method: CalibrationMethod | Literal["auto"] = Field(
        "auto",
        description="auto: the simplest whose gain is beyond chance; or none, intercept, platt, beta, "
        "isotonic (1,000 defaulting loans), monotone (300)",
    )
    window_months: int | None = Field(
        None, ge=1, description="last months of the calibration rows that count; null: all"
    )
    half_life_months: float | None = Field(
        None, gt=0, description="age in months at which a row weighs half; null: all weigh alike"
    )
    central_tendency: float | None = Field(
        None, gt=0, lt=1, description="mean PD to which the calibrated logits are shifted; null: none"
    )


class TrainSettings(Section):
    """How a snapshot is cut and a model fitted."""

    model: str = Field("tabm", description="architecture: a file of conf/models, or a YAML file")
    seed: int = RowsField(
        17, ge=0, description="of every random choice: splits, thinning, shuffling, weights, dropout"
    )
    test_months: int = RowsField(12, ge=1, description="calendar months of matured cohorts kept out of time")
    test_share: float = RowsField(
        0.20,
        gt=0,
        lt=1,
        description="share of the loans held out where a tape's own outcome leaves no later time",
    )
    validation_months: int = RowsField(
        0,
        ge=0,
        description="calendar months of matured cohorts between development and test, the horizon apart from "
        "both, on which the predictor that scores is chosen; 0: on loans of development; none where fewer "
        "than three horizons of development would remain",
    )
    folds: int = Field(
        1,
        ge=1,
        description="rolling origins that are trained and judged: the most recent one, whose model may score "
        "the book, and earlier ones as back-tests",
    )
    members: int = RowsField(
        5,
        ge=1,
        le=20,
        description="networks whose mean is the model, each fitted without a part of the development loans "
        "that stops and judges it; 1: one network, by the shares below",
    )
    fits: int = Field(
        1,
        ge=1,
        le=20,
        description="networks of a member, fitted on the same rows from other first weights and in another "
        "order, whose mean it is",
    )
    bootstrap: bool = Field(
        False,
        description="whether each network is fitted on borrowers drawn with replacement, each on its own "
        "draw; needs members or fits above 1; baselines are fitted on the rows as they are",
    )
    borrower: tuple[str, ...] = RowsField(
        (),
        description="attributes or columns of loans: those that agree in all of them are one borrower's, and "
        "never on both sides of a split; empty: each loan has its own",
    )
    shares: RoleShares = RowsField(RoleShares())
    inputs_added: tuple[str, ...] = Field((), description="features that no model takes unless named here")
    inputs_left_out: tuple[str, ...] = Field((), description="features, attributes or themes not to take")
    min_defaults: int = RowsField(
        30, ge=1, description="defaulting borrowers below which a sample is 'insufficient'"
    )
    negatives_kept: float = RowsField(
        1.0, gt=0, le=1, description="share of training negatives kept, weighted by 1/share"
    )
    prior_pd: float = Field(0.02, gt=0, lt=1, description="PD of a book without a single labelled row")
    spec_rows: int = RowsField(
        200_000, ge=1000, description="training rows that clip points and means are taken from"
    )
    clip_quantile: float = RowsField(
        0.001, ge=0, lt=0.5, description="share of the training rows cut off at each end of a numeric input"
    )
    clock_quantile: float = RowsField(
        0.02,
        ge=0,
        lt=0.5,
        description="share of the training rows cut off at the upper end of a whole number that grows with "
        "time, such as the loan's age; 0: none is",
    )
    vocabulary_min_rows: int = RowsField(
        20, ge=1, description="training rows below which a value counts as unknown; of a text's word, loans"
    )
    max_vocabulary: int = RowsField(200, ge=1, description="most frequent values kept of a categorical input")
    max_text_words: int = RowsField(500, ge=1, description="most frequent words kept of a text input")
    text_tokens: int = RowsField(32, ge=1, description="first known words of a text that a model reads")
    row_groups: int = RowsField(16, ge=1, description="least number of equal row groups of the training rows")
    workers: int = Field(2, ge=1, description="Horovod processes; each takes one Spark task slot")
    hosts: str | None = Field(
        None,
        min_length=1,
        description="hosts with their slots, such as a:2,b:2, on which the processes are started over SSH; "
        "null: each is started by a task of Spark",
    )
    parallel: Literal["auto", "members", "rows"] = RowsField(
        "auto",
        description="what workers share out: members, each trained by one worker, so that the model does not "
        "depend on their number; or the rows of every member, all workers together; auto: members, where "
        "there are as many as workers",
    )
    rows_in_memory_mib: int = Field(
        2048,
        ge=0,
        description="training rows that a worker keeps in memory, MiB; more are read anew every epoch",
    )
    threads_per_worker: int = Field(1, ge=1, description="TensorFlow threads of one worker")
    start_timeout: int = Field(60, ge=1, description="seconds that workers may take to start")
    batch_size: int | None = Field(
        None, ge=1, description="overrides the architecture's rows per step and worker"
    )
    epochs: int | None = Field(
        None, ge=0, description="overrides the architecture's largest number of epochs"
    )
    calibration: CalibrationSettings = CalibrationSettings()
    baselines: tuple[Choice, ...] = Field(
        (Choice(name="logistic"), Choice(name="constant"), Choice(name="lightgbm"), Choice(name="matrix")),
        min_length=1,
        description="modules of loanbook.models.baselines, with their settings, fitted beside the network; "
        "reports hold it against the first",
    )

    @field_validator("baselines")
    @classmethod
    def _named_once(cls, chosen: tuple[Choice, ...]) -> tuple[Choice, ...]:
        names = [choice.name for choice in chosen]
        if len(set(names)) < len(names):
            raise ValueError(f"each baseline may stand once, not {', '.join(names)}")
        return chosen

    @model_validator(mode="after")
    def _averages_bootstraps(self) -> "TrainSettings":
        if self.bootstrap and self.members * self.fits == 1:
            raise ValueError("bootstrap needs networks to take the mean of: set members or fits above 1")
        return self


def settings_of_rows() -> set[str]:
    """Return the names of the settings that change the rows of a training snapshot.

    >>> "negatives_kept" in settings_of_rows(), "workers" in settings_of_rows()
    (True, False)
    """
    return {name for name, item in TrainSettings.model_fields.items() if item.json_schema_extra == OF_ROWS}


def workers_of_member(settings: TrainSettings, members: int, workers: int) -> int:
    """Return how many processes train a member together: one, where the members are shared out.

    >>> settings = TrainSettings()
    >>> workers_of_member(settings, members=5, workers=2), workers_of_member(settings, members=1, workers=2)
    (1, 2)
    """
    shared_out = settings.parallel == "members" or (settings.parallel == "auto" and members >= workers)
    return 1 if shared_out else workers


def is_bootstrapped(settings: TrainSettings, members: int) -> bool:
    """Return whether networks are fitted on bootstrap samples: a single one, as of few defaults, is not.

    Args:
        settings: of the training.
        members: that there are.

    >>> settings = TrainSettings(bootstrap=True)
    >>> is_bootstrapped(settings, members=5), is_bootstrapped(settings, members=1)
    (True, False)
    """
    return settings.bootstrap and members * settings.fits > 1


def wanted_workers(settings: TrainSettings, given: int | None) -> int:
    """Return the number of Horovod processes: as given, else of the settings.

    Raises:
        InputError: fewer than 1.

    >>> wanted_workers(TrainSettings(workers=4), None), wanted_workers(TrainSettings(workers=4), 1)
    (4, 1)
    """
    workers = settings.workers if given is None else given
    if workers < 1:
        raise InputError(required="--workers of at least 1", found=str(workers), do="give 1 or more")
    return workers
