"""``scores``: the default probability of every loan in the book, by month, model and scenario."""

from loanbook.tables.base import Column, Table
from loanbook.tables.columns import (
    AS_OF_DATE,
    DEFAULT_STATUS,
    DEFINITION,
    LOAN_ID,
    RUN_ID,
    SOURCE,
    STATE,
    UPB,
    one_of,
)
from loanbook.tables.labels import HORIZONS, MAIN_HORIZON

OTHER_HORIZONS = tuple(horizon for horizon in HORIZONS if horizon != MAIN_HORIZON)
PDS_OF_OTHERS = tuple(f"pd_{horizon}m{form}" for horizon in OTHER_HORIZONS for form in ("", "_raw"))


def _of_horizon(horizon: int) -> tuple[Column, ...]:
    of_others = f"null of a model of another event than default within {horizon} months"
    return (
        Column(
            f"pd_{horizon}m_raw",
            "DOUBLE",
            f"Probability of default within {horizon} months as the predictor gives it; null in default; {of_others}",
        ),
        Column(
            f"pd_{horizon}m",
            "DOUBLE",
            f"Calibrated probability of default within {horizon} months; 1 in default; {of_others}",
        ),
    )


SCORES = Table(
    name="scores",
    description="One row for each loan in the book, month, model version and scenario",
    columns=(
        SOURCE,
        LOAN_ID,
        AS_OF_DATE,
        Column("model_name", "STRING", "Name of the model", required=True),
        Column("model_version", "STRING", "Version of its artefact", required=True),
        Column(
            "predictor",
            "STRING",
            "model, or the baseline trained beside it whose probabilities these are, such as lightgbm",
            required=True,
        ),
        Column("scenario", "STRING", "Macro path that the PD assumes", required=True),
        Column(
            "pd_12m_raw",
            "DOUBLE",
            "Probability of default within 12 months as the predictor gives it; null in default",
        ),
        Column(
            "pd_12m",
            "DOUBLE",
            "Calibrated probability of default within 12 months; 1 in default; null of a model of another event",
        ),
        *(column for horizon in OTHER_HORIZONS for column in _of_horizon(horizon)),
        Column(
            "pd_lifetime",
            "DOUBLE",
            "Probability of default before the contract ends, prepayment competing; 1 in default; null of a model "
            "without a curve, of a loan whose term is unknown or over, and where the curve ends before the term",
        ),
        Column(
            "prepayment_12m",
            "DOUBLE",
            "Probability of prepayment or maturity within 12 months, default competing; null in default and of a "
            "model without a curve",
        ),
        Column(
            "pd_curve",
            "ARRAY<DOUBLE>",
            "Probability of default in each period ahead (deliveries.period_months), seen from as_of_date: sums are "
            "cumulative; null in default and of a model without a curve",
        ),
        Column(
            "prepayment_curve",
            "ARRAY<DOUBLE>",
            "The same of prepayment or maturity; with the sums of both, what is left of 1 is still on the book",
        ),
        Column(
            "pd_outcome_raw",
            "DOUBLE",
            "Probability of the tape's own outcome as the predictor gives it; null of a model of default",
        ),
        Column(
            "pd_outcome",
            "DOUBLE",
            "Calibrated probability of the tape's own outcome, within its horizon; null of a model of default",
        ),
        Column(
            "rank_only",
            "BOOLEAN",
            "Whether the PDs only rank the loans (case-control sample, no labelled row): sums mean nothing",
            required=True,
        ),
        Column(
            "pd_method",
            "STRING",
            "direct: the predictor's; chained: that of its moves between states; hazard: the sum of its curve; "
            "in_default: 1 by definition; prior: one PD for all, as nothing could be learnt",
            required=True,
        ),
        DEFAULT_STATUS,
        STATE,
        UPB,
        Column(
            "months_since_report",
            "INT",
            "Months since the loan was last reported; 0 in a reported month",
            required=True,
        ),
        Column("credit_score", "INT", "Borrower's credit score at origination"),
        Column("vintage", "STRING", "Quarter of origination, YYYYQn"),
        Column("region", "STRING", "Region of the loan"),
        Column(
            "quality_flags",
            "ARRAY<STRING>",
            "stale, incomplete, out_of_support, uncalibrated, insufficient, worse_than_constant, "
            "worse_than_logit, off_level, and the names of the checks that its data failed",
            required=True,
        ),
        DEFINITION,
        Column("calibration_id", "STRING", "Hash of the calibration applied", required=True),
        Column("features_version", "BIGINT", "Version of the features table that was scored", required=True),
        RUN_ID,
    ),
    key=("source", "loan_id", "as_of_date", "model_name", "model_version", "scenario"),
    partitions=("as_of_date", "model_version"),
    constraints={
        "pd_given": f"coalesce({', '.join(('pd_12m', 'pd_outcome', *PDS_OF_OTHERS[::2]))}) IS NOT NULL",
        **{f"{name}_range": f"{name} IS NULL OR {name} BETWEEN 0 AND 1" for name in PDS_OF_OTHERS},
        "pd_range": "pd_12m IS NULL OR pd_12m BETWEEN 0 AND 1",
        "pd_outcome_range": "pd_outcome IS NULL OR pd_outcome BETWEEN 0 AND 1",
        "pd_outcome_raw_range": "pd_outcome_raw IS NULL OR pd_outcome_raw BETWEEN 0 AND 1",
        "pd_raw_range": "pd_12m_raw IS NULL OR pd_12m_raw BETWEEN 0 AND 1",
        "pd_lifetime_range": "pd_lifetime IS NULL OR pd_lifetime BETWEEN 0 AND 1",
        "prepayment_range": "prepayment_12m IS NULL OR prepayment_12m BETWEEN 0 AND 1",
        "curves_range": "pd_curve IS NULL OR (forall(pd_curve, p -> p BETWEEN 0 AND 1) AND "
        "forall(prepayment_curve, p -> p BETWEEN 0 AND 1))",
        "curves_alike": "(pd_curve IS NULL AND prepayment_curve IS NULL) OR size(pd_curve) = size(prepayment_curve)",
        "curves_add_up": "pd_curve IS NULL OR aggregate(concat(pd_curve, prepayment_curve), 0D, (sum, p) -> sum + p) "
        "<= 1.000001",
        "status_known": one_of("default_status", ("performing", "in_default", "probation")),
    },
)
