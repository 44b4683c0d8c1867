"""``runs``: the append-only record of every run; a published row is the commit point of a job."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import RUN_ID, one_of

RUNS = Table(
    name="runs",
    description="One row for each run; what it published is what its outputs name",
    columns=(
        RUN_ID,
        Column("job", "STRING", "Name of the job", required=True),
        Column("source", "STRING", "Source that the run worked on"),
        Column("status", "STRING", "published or failed", required=True),
        Column("started_at", "TIMESTAMP", "Start, UTC", required=True),
        Column("finished_at", "TIMESTAMP", "End, UTC", required=True),
        Column("seconds", "DOUBLE", "Duration, seconds", required=True),
        Column("as_of_date", "DATE", "Month that the run was asked for"),
        Column("inputs", "MAP<STRING,BIGINT>", "Version read of each table", required=True),
        Column("outputs", "MAP<STRING,BIGINT>", "Version published of each table", required=True),
        Column("counts", "MAP<STRING,BIGINT>", "Rows read, published, quarantined and so on", required=True),
        Column("metrics", "MAP<STRING,DOUBLE>", "Figures that the job reports", required=True),
        Column("model_name", "STRING", "Model that the run trained, evaluated or scored with"),
        Column("model_version", "STRING", "Version of that model's artefact"),
        Column(
            "model_role",
            "STRING",
            "Of scoring: book, or challenger, whose scores stand beside it; of training: challenger, or null",
        ),
        Column("scenario", "STRING", "Of a scoring run: the macro path that its scores assume"),
        Column("details", "STRING", "What the job is about, as JSON", required=True),
        Column("code_version", "STRING", "Version of the package", required=True),
        Column("settings_hash", "STRING", "Hash of the settings", required=True),
        Column("error", "STRING", "Why a failed run failed"),
    ),
    key=("run_id",),
    constraints={
        "status_known": one_of("status", ("published", "failed")),
        "model_role_known": one_of("model_role", ("book", "challenger")),
    },
)
