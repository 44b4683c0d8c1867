"""``predictions``: what each model said of rows whose outcome is known; what evaluation and back-tests read."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import AS_OF_DATE, DEFAULT_STATUS, LOAN_ID, SOURCE, STATE, UPB

PREDICTIONS = Table(
    name="predictions",
    lease="evaluations",
    description="One row for each model, fold, loan and month of a held-out role: label and PDs",
    columns=(
        Column("model_name", "STRING", "Name of the trained model whose run made the row", required=True),
        Column("model_version", "STRING", "Version of that model's artefact", required=True),
        Column(
            "predictor", "STRING", "model, or a baseline trained beside it, such as logistic", required=True
        ),
        Column("fold", "STRING", "Fold of the splits", required=True),
        SOURCE,
        LOAN_ID,
        AS_OF_DATE,
        Column(
            "role",
            "STRING",
            "test; or out_of_fold (calibrate_check of a single network), or validation",
            required=True,
        ),
        Column(
            "label", "INT", "1 where the model's event came about within its horizon, 0 not", required=True
        ),
        Column("pd_raw", "DOUBLE", "Probability of the event as the predictor gives it", required=True),
        Column("pd", "DOUBLE", "Calibrated probability of the event", required=True),
        Column(
            "outputs_raw",
            "ARRAY<DOUBLE>",
            "All probabilities of a model with several, in its head's order, as the network gives them; else null",
        ),
        Column("outputs", "ARRAY<DOUBLE>", "The same, calibrated"),
        Column("weight", "DOUBLE", "Inverse of the row's sampling probability (1 in test)", required=True),
        STATE,
        DEFAULT_STATUS,
        UPB,
    ),
    key=("model_name", "model_version", "predictor", "fold", "source", "loan_id", "as_of_date"),
    partitions=("model_name", "model_version"),
    constraints={
        "pd_range": "pd BETWEEN 0 AND 1",
        "pd_raw_range": "pd_raw BETWEEN 0 AND 1",
        "label_binary": "label IN (0, 1)",
    },
)
