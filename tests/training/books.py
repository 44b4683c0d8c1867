"""A small book of features and labels whose default rate depends on two numbers and a category."""

import calendar
from datetime import date

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from loanbook.models.inputs.spec import Candidate

CANDIDATES = (
    Candidate(name="ltv", expression="ltv", kind="numeric"),
    Candidate(name="balance", expression="balance", kind="numeric"),
    Candidate(name="income", expression="numeric_inputs['income']", kind="numeric", log=True),
    Candidate(name="constant", expression="constant", kind="numeric"),
    Candidate(name="state_now", expression="state_now", kind="categorical"),
    Candidate(name="purpose", expression="categorical_inputs['purpose']", kind="categorical"),
    Candidate(name="note", expression="text_inputs['note']", kind="text"),
    Candidate(name="upb_last_12m", expression="upb_last_12m", kind="sequence"),
    Candidate(name="state_last_12m", expression="state_last_12m", kind="sequence"),
)

FEATURES = T.StructType(
    [
        T.StructField("source", T.StringType()),
        T.StructField("loan_id", T.StringType()),
        T.StructField("as_of_date", T.DateType()),
        T.StructField("state", T.StringType()),
        T.StructField("default_status", T.StringType()),
        T.StructField("upb", T.DecimalType(16, 2)),
        T.StructField("ltv", T.DoubleType()),
        T.StructField("balance", T.DoubleType()),
        T.StructField("constant", T.IntegerType()),
        T.StructField("state_now", T.StringType()),
        T.StructField("numeric_inputs", T.MapType(T.StringType(), T.DoubleType())),
        T.StructField("categorical_inputs", T.MapType(T.StringType(), T.StringType())),
        T.StructField("text_inputs", T.MapType(T.StringType(), T.StringType())),
        T.StructField("upb_last_12m", T.ArrayType(T.DoubleType())),
        T.StructField("state_last_12m", T.ArrayType(T.IntegerType())),
    ]
)
LABELS = (
    "source string, loan_id string, as_of_date date, label_status string, default_12m int, next_state string"
)


def month_ends(count: int) -> list[date]:
    months = [(2010 + number // 12, number % 12 + 1) for number in range(count)]
    return [date(year, month, calendar.monthrange(year, month)[1]) for year, month in months]


def book(spark: SparkSession, loans: int, months: int, seed: int = 1) -> tuple[DataFrame, DataFrame]:
    """Return features and labels; the last 12 months have not matured."""
    rng = np.random.default_rng(seed)
    features, labels = [], []
    for loan in range(loans):
        income = float(np.exp(rng.normal(10, 1)))
        codes: list[int] = []
        for number, day in enumerate(month_ends(months)):
            ltv = float(rng.normal(0.8, 0.2)) if rng.random() > 0.1 else None
            late = bool(rng.random() < 0.1)
            score = (
                -3.0 + 4 * ((ltv or 0.9) - 0.8) + 2.0 * late + (ltv or 0) * late - 0.3 * (np.log(income) - 10)
            )
            matured = number < months - 12
            label = int(rng.random() < 1 / (1 + np.exp(-score))) if matured else None
            state = "dpd30" if late else "current"
            keys = ("s", f"L{loan:05d}", day)
            balance = float(rng.exponential(100_000))
            purpose = "buy" if loan % 3 else "refinance"
            note = {} if loan % 10 == 0 else {"note": f"To {purpose} a home. Reference: {loan}."}
            maps = ({"income": income}, {"purpose": purpose}, note)
            codes.append(2 if late else 1)
            paid = [1 - 0.01 * past for past in range(number + 1)]
            lasts = ([*[None] * 11, *paid][-12:], [*[0] * 11, *codes][-12:])
            features.append((*keys, state, "performing", None, ltv, balance, 7, state, *maps, *lasts))
            labels.append([*keys, "observed" if matured else "not_matured", label, None])
            if number:  # some of those that default within a year do so at once
                labels[-2][-1] = "dpd90" if labels[-2][4] and (loan + number) % 6 == 0 else state
    columns = [name.strip().split()[0] for name in LABELS.split(",")]
    frame = spark.createDataFrame(
        pd.DataFrame(labels, columns=columns).astype({"default_12m": object}), LABELS
    )
    return spark.createDataFrame(features, FEATURES), frame
