"""Settings of what is recorded of trainings for people to compare."""

from pydantic import Field

from loanbook.settings.section import Section

LOCAL = "local"  # a SQLite file and a folder under paths.tracking


class TrackingSettings(Section):
    """What is recorded of trainings, beside the tables and artefacts that the jobs rely on."""

    server: str | None = Field(
        None,
        min_length=1,
        description="null: none; local: a store of SQLite and a folder; or an MLflow server's address",
    )
    experiment: str = Field("loanbook", min_length=1, description="MLflow's experiment")
    tensorboard: bool = Field(
        False, description="whether workers write TensorBoard's event files while they train"
    )
