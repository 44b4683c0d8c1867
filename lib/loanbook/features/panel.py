"""The feature panel: the book, its loans and every theme."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.features.book import with_book, with_last_known
from loanbook.features.catalogue import FEATURES as CATALOGUE
from loanbook.features.catalogue import THEMES, catalogue_id
from loanbook.features.feature import PanelInputs, Transform
from loanbook.features.months import LOAN, month_expr, with_month
from loanbook.tables.features import FEATURES

TERMS = (
    "product", "vintage", "region", "original_term", "credit_score", "dti", "ltv", "cltv", "mi_percent",
    "units", "borrowers", "first_time_buyer", "occupancy", "purpose", "property_type", "channel",
)  # fmt: skip

# What a loan did in its months: not known of a history that was made from its final status. What the book
# itself rests on stays.
OF_THE_BOOK = ("state", "upb", "months_since_report")
BEHAVIOUR = tuple(
    item for item in CATALOGUE if item.theme in ("delinquency", "balance") and item.name not in OF_THE_BOOK
)


def feature_panel(inputs: PanelInputs) -> DataFrame:
    """Return the features of every loan in the book and month: the columns of the features table."""
    book = (
        inputs.performance.transform(with_month)
        .transform(with_last_known)
        .transform(with_book(inputs.last_month, inputs.stale_months))
        .join(_terms(inputs.loans), on=list(LOAN), how="left")
    )
    for theme in THEMES:
        book = book.transform(theme.transform(inputs))
    if inputs.rebuilt:
        book = book.withColumns({item.name: F.lit(None).cast(item.type) for item in BEHAVIOUR})
    flags = {"rebuilt_history": inputs.rebuilt, "case_control": inputs.case_control}
    return book.transform(_as_published([name for name, holds in flags.items() if holds]))


def _terms(loans: DataFrame) -> DataFrame:
    """Return what themes read of the loans, dates as months and amounts as cents."""
    return loans.select(
        *LOAN,
        *TERMS,
        month_expr("origination_date").alias("origination_month"),
        month_expr("first_payment_date").alias("first_payment_month"),
        month_expr("maturity_date").alias("contract_maturity_month"),
        F.col("original_rate").cast("double").alias("original_rate"),
        (F.col("original_upb") * 100).cast("bigint").alias("original_cents"),
        (F.col("credit_limit") * 100).cast("bigint").alias("limit_cents"),
        F.col("quality_flags").alias("terms_flags"),
        input_attributes_expr("numeric_attributes").alias("numeric_inputs"),
        input_attributes_expr("categorical_attributes").alias("categorical_inputs"),
    )


def input_attributes_expr(attributes: str) -> Column:
    """Return the entries of a map of attributes whose declared role is ``input``."""
    roles = F.col("attribute_roles")
    return F.map_filter(attributes, lambda name, _: roles[name] == "input")


def _as_published(flags: Sequence[str]) -> Transform:
    """Return exactly the columns of the features table; every row has ``flags`` beside its own."""

    def transform(book: DataFrame) -> DataFrame:
        early = F.when(F.col("month") < F.col("origination_month"), F.lit("before_origination"))
        of_tape = F.array(*map(F.lit, flags)).cast("array<string>")
        of_loan = F.concat(
            F.coalesce("terms_flags", F.array(F.lit("no_terms"))), F.array_compact(F.array(early)), of_tape
        )
        fixed = {
            "quality_flags": F.array_sort(F.array_distinct(F.concat("quality_flags", of_loan))),
            "knowledge": F.lit("latest"),
            "catalogue_id": F.lit(catalogue_id()),
        }
        return FEATURES.conform(book.withColumns(fixed).select(*FEATURES.column_names))

    return transform
