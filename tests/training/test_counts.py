from datetime import date
from typing import Any

from loanbook.training.snapshot.counts import count_roles, together
from loanbook.training.snapshot.fold import TEST, Fold

DATES = dict.fromkeys(("development_from", "development_to", "test_from", "test_to"))
FOLD = Fold(name="f", shares={"part_0": 0.5, "part_1": 0.5}, **DATES)


def test_a_role_of_rows_that_only_train_has_no_default(spark: Any) -> None:
    rows = [("part_0", "a", None), ("part_0", "b", None), ("part_1", "c", 1), ("part_1", "d", 0)]
    frame = spark.createDataFrame(
        [(*row, row[1], date(2020, 1, 31)) for row in rows],
        "role string, loan_id string, label int, borrower string, as_of_date date",
    )
    found = count_roles(frame, FOLD)
    names = ("rows", "labelled", "defaults", "defaulting_loans", "defaulting_borrowers")
    assert [found["part_0"][name] for name in names] == [2, 0, 0, 0, 0]
    assert [found["part_1"][name] for name in names] == [2, 2, 1, 1, 1]
    assert [found[TEST][name] for name in names] == [0] * 5
    whole = together(list(found.values()), min_defaults=1)
    assert (whole["rows"], whole["default_rate"], whole["status"]) == (4, 0.5, "ok")
