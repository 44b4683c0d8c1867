from typing import Any

import pytest

from loanbook.errors import InputError
from loanbook.tables.loans import LOANS
from loanbook.training.snapshot.borrowers import MAPS, borrowers_of

LINES = [("A", 17.0, "x"), ("B", 17.0, "x"), ("C", 17.0, None), ("D", None, "17.0"), ("E", None, None)]


def loans(spark: Any) -> Any:
    rows = spark.createDataFrame(LINES, "loan_id string, customer double, town string")
    empty = {name: f"map() AS {name}" for name in MAPS}
    given = {
        "numeric_attributes": "if(customer is null, map(), map('customer', customer)) AS numeric_attributes",
        "categorical_attributes": "if(town is null, map(), map('town', town)) AS categorical_attributes",
    }
    roles = "map('customer', 'identifier', 'town', 'protected') AS attribute_roles"
    return rows.selectExpr("loan_id", "'Q1' AS region", *{**empty, **given}.values(), roles)


def found(spark: Any, *names: str) -> dict[str, Any]:
    return {row["loan_id"]: row["borrower"] for row in borrowers_of(loans(spark), names).collect()}


def test_loans_that_agree_in_all_values_are_one_borrowers(spark: Any) -> None:
    of = found(spark, "customer", "town")
    assert of["A"] == of["B"]
    assert len({of["A"], of["C"], of["D"]}) == 3  # a value in another place is another borrower
    assert of["E"] is None
    alone = found(spark, "customer")
    assert alone["A"] == alone["C"]
    assert alone["D"] is None


def test_a_column_of_loans_may_say_it_too(spark: Any) -> None:
    assert "region" in LOANS.column_names
    assert len(set(found(spark, "region").values())) == 1


def test_an_attribute_that_no_loan_has_is_refused_with_those_there_are(spark: Any) -> None:
    with pytest.raises(InputError, match=r"'custmer' \(did you mean 'customer'\?\)[\s\S]*customer, town"):
        borrowers_of(loans(spark), ["custmer"])
