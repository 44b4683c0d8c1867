"""``evaluations``: every metric of every model, long form."""

from loanbook.tables.base import Column, Table

EVALUATIONS = Table(
    name="evaluations",
    description="One row for each model, fold, sample, segment and metric",
    columns=(
        Column("model_name", "STRING", "Name of the trained model, or SOURCE-comparison", required=True),
        Column("model_version", "STRING", "Version of its artefact, or of what was compared", required=True),
        Column(
            "predictor",
            "STRING",
            "model, a baseline such as logistic, or truth; of a comparison, an architecture, a baseline or truth",
            required=True,
        ),
        Column(
            "fold",
            "STRING",
            "Fold of the splits: fold0 is the most recent origin; all: the test rows of every origin together",
            required=True,
        ),
        Column(
            "sample",
            "STRING",
            "test; or what predictors are compared on before: out_of_fold (calibrate_check of a single network), "
            "loans of development, or validation",
            required=True,
        ),
        Column(
            "segment",
            "STRING",
            "all, decile=N, month=YYYY-MM, year=YYYY, state=..., vintage=YYYY (of origination), age=NNN-NNN (months on book), or origin=foldN of a comparison; unknown is a value too",
            required=True,
        ),
        Column("metric", "STRING", "Name of the metric", required=True),
        Column("estimate", "DOUBLE", "Value of the metric; null where insufficient"),
        Column("low", "DOUBLE", "Lower end of the 95 percent interval; null where none is given"),
        Column("high", "DOUBLE", "Upper end of the 95 percent interval; null where none is given"),
        Column("n", "BIGINT", "Rows", required=True),
        Column("loans", "BIGINT", "Distinct loans", required=True),
        Column("defaults", "BIGINT", "Distinct loans with a default label", required=True),
        Column(
            "method", "STRING", "How it was computed; 'insufficient' where it could not be", required=True
        ),
    ),
    key=("model_name", "model_version", "predictor", "fold", "sample", "segment", "metric"),
    partitions=("model_name", "model_version"),
)
