"""Macro: what was known of the economy that month, by publication lag and revision."""

from functools import partial

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from loanbook.features.feature import Feature, PanelInputs, Theme, Transform
from loanbook.features.macro_known import NATION, SCHEMA

_Macro = partial(
    Feature,
    theme="macro",
    kind="numeric",
    type="DOUBLE",
    actionable=False,
    expected_sign="+",
    roll_forward="macro",
    known="publication",
)

FEATURES: tuple[Feature, ...] = (
    _Macro(
        name="unemployment",
        unit="percent",
        low=0,
        high=100,
        description="Unemployment rate of the loan's region, else of the nation",
        reason_code="MUN",
        reason_text="Unemployment",
    ),
    _Macro(
        name="unemployment_change_12m",
        unit="percentage points",
        description="Change of that unemployment rate over 12 months",
        reason_code="MUC",
        reason_text="Rise of unemployment in 12 months",
    ),
    _Macro(
        name="mortgage_rate",
        unit="percent a year",
        description="Market rate of new mortgages",
        reason_code="MMR",
        reason_text="Market interest rate",
        expected_sign="?",
    ),
    _Macro(
        name="incentive",
        unit="percentage points",
        description="The loan's rate less the market rate: what a refinancing would save",
        reason_code="MIN",
        reason_text="Rate against the market",
    ),
    _Macro(
        name="rate_spread_at_origination",
        unit="percentage points",
        description="The rate at origination less the market rate known in that month",
        reason_code="MSO",
        reason_text="Rate against the market at origination",
        roll_forward="static",
    ),
    _Macro(
        name="mtm_ltv",
        unit="percent",
        low=0,
        description="Loan to value marked to market: ltv x balance / original amount x index known at "
        "origination / index known now, both of the region, else of the nation",
        reason_code="MLV",
        reason_text="Loan against the property's present value",
    ),
    _Macro(
        name="hpi_growth_12m",
        unit="ratio",
        low=-1,
        description="Growth of the house price index of the region, else of the nation, over 12 months",
        reason_code="MHG",
        reason_text="House prices in 12 months",
        expected_sign="-",
    ),
)


def with_macro(inputs: PanelInputs) -> Transform:
    """Add the macro features to rows of the book joined with their loans; null where there is no macro."""

    def transform(book: DataFrame) -> DataFrame:
        if inputs.macro is None:
            return book.withColumns({item.name: F.lit(None).cast(item.type) for item in FEATURES})
        areas = inputs.macro["area"].unique().tolist()
        own = F.when(F.col("region").isin(areas), F.col("region")).otherwise(NATION)
        known = F.broadcast(_frame(book.sparkSession, inputs.macro))
        return (
            book.withColumn("area", own)
            .join(known, on=["area", "month"], how="left")
            .transform(_join_at_origination(known))
            .transform(_derive)
        )

    return transform


def _frame(spark: SparkSession, known: pd.DataFrame) -> DataFrame:
    """Return known values as a frame, with null where a value is NaN."""
    rows = known.astype(object).where(known.notna(), None)
    return spark.createDataFrame(rows.to_numpy().tolist(), SCHEMA)


def _join_at_origination(known: DataFrame) -> Transform:
    """Add the rate and indices known at origination, or at the first report where that came earlier."""
    then = known.select(
        "area",
        F.col("month").alias("start_month"),
        F.col("mortgage_rate").alias("start_mortgage_rate"),
        F.col("hpi").alias("start_hpi"),
        F.col("nation_hpi").alias("start_nation_hpi"),
    )
    # An origination dated after the first report would otherwise read macro of the future.
    start = F.when(
        F.col("origination_month").isNotNull(), F.least(F.col("origination_month"), F.col("first_month"))
    )
    return lambda book: book.withColumn("start_month", start).join(
        then, on=["area", "start_month"], how="left"
    )


def _derive(book: DataFrame) -> DataFrame:
    ratio = F.coalesce(
        F.try_divide(F.col("start_hpi"), F.col("hpi")),
        F.try_divide(F.col("start_nation_hpi"), F.col("nation_hpi")),
    )
    return book.withColumns(
        {
            "incentive": F.col("rate") - F.col("mortgage_rate"),
            "rate_spread_at_origination": F.col("original_rate") - F.col("start_mortgage_rate"),
            "mtm_ltv": F.col("ltv") * F.col("upb_to_original") * ratio,
        }
    )


THEME = Theme(FEATURES, with_macro)
