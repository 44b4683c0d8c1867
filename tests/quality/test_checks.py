"""Checks as named conditions."""

from pyspark.sql import functions as F

from loanbook.quality.checks import failed, required_columns, table_constraints, unreadable
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE


def test_every_failed_check_is_named_and_the_unknown_passes(spark):
    frame = spark.createDataFrame([(1, 1), (-1, None), (-1, -1)], "a INT, b INT")
    found = frame.select(
        failed({"a_low": F.col("a") < 0, "b_low": F.col("b") < 0}).alias("reasons")
    ).collect()
    assert [row.reasons for row in found] == [[], ["a_low"], ["a_low", "b_low"]]


def test_blank_and_sentinel_are_not_unreadable(spark):
    frame = spark.createDataFrame(
        [(None, None), ("9999", None), ("x", None), ("7", 7)], "text STRING, value INT"
    )
    found = frame.select(unreadable(F.col("text"), F.col("value"), ["9999"]).alias("lost")).collect()
    assert [bool(row.lost) for row in found] == [False, False, True, False]


def test_a_tables_own_rules_are_checks(spark):
    frame = spark.sql(
        "SELECT CAST(NULL AS STRING) AS loan_id, 'asleep' AS state, CAST(-1 AS DECIMAL(16,2)) AS upb"
    )
    names = frame.columns
    checks = required_columns(PERFORMANCE, names) | table_constraints(PERFORMANCE, names)
    (row,) = frame.select(failed(checks).alias("reasons")).collect()
    assert row.reasons == ["missing_loan_id", "state_known", "upb_not_negative"]


def test_a_statement_may_be_a_credit_and_a_limit_may_not(spark):
    frame = spark.createDataFrame([(-5, 0), (5, -1), (None, None)], "statement INT, credit_limit INT")
    found = frame.select(failed(table_constraints(PERFORMANCE, frame.columns)).alias("reasons")).collect()
    assert [row.reasons for row in found] == [[], ["limit_not_negative"], []]


def test_dates_that_no_loan_has_and_numbers_without_bound_are_rejected(spark):
    frame = spark.sql(
        "SELECT DATE'1900-01-01' AS origination_date, DATE'9999-12-01' AS maturity_date, "
        "DATE'1901-01-01' AS first_payment_date, "
        "map('born', DATE'0001-01-01', 'seen', NULL) AS date_attributes, "
        "map('income', CAST('NaN' AS DOUBLE), 'age', NULL) AS numeric_attributes"
    )
    usual = frame.selectExpr(
        "DATE'2018-05-01' AS origination_date", "NULL AS maturity_date", "NULL AS first_payment_date",
        "map('born', DATE'1980-01-01', 'seen', NULL) AS date_attributes",
        "map('income', 1e300, 'age', NULL) AS numeric_attributes",
    )  # fmt: skip
    checks = failed(table_constraints(LOANS, frame.columns)).alias("reasons")
    assert [row.reasons for row in frame.unionByName(usual).select(checks).collect()] == [
        ["origination_in_bounds", "maturity_in_bounds", "attribute_dates_in_bounds", "attributes_finite"],
        [],
    ]
