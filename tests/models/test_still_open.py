from typing import Any

import pytest

from loanbook.models.heads import head


@pytest.mark.parametrize(
    ("name", "open_"),
    [
        ("default_12m", ["performing"]),
        ("default_24m", ["performing"]),
        ("transition", ["performing"]),
        ("term_structure", ["performing"]),
        ("tape_outcome", ["in_default", "performing", "probation"]),
    ],
)
def test_of_loans_in_default_no_head_of_default_expects_another(
    name: str, open_: list[str], spark: Any
) -> None:
    rows = spark.createDataFrame([("performing",), ("in_default",), ("probation",)], "default_status string")
    found = rows.where(head(name).still_open()).collect()
    assert sorted(row["default_status"] for row in found) == open_
