"""What Spark makes of a mapping's expressions before any line is read."""

from typing import Any

import pytest

from loanbook.errors import InputError
from loanbook.settings.files import conf_folder
from loanbook.settings.section import validated
from loanbook.sources.canonical.canonical import canonical_performance
from loanbook.sources.canonical.check_mapping import assert_mapping
from loanbook.sources.canonical.fields import read_fields
from loanbook.sources.landing.find_files import find_files
from loanbook.sources.landing.landing import landed_files
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.mapping_files import load_mapping
from tests.sources.tapes import MONTHLY_FEED, write_feed

SHIPPED = sorted(
    path.stem for path in (conf_folder() / "sources").glob("*.yaml") if not path.stem.startswith("macro")
)


def feed(**changes: Any) -> TapeMapping:
    performance = MONTHLY_FEED["performance"]
    columns = {**performance["columns"], **changes.pop("columns", {})}
    return validated(TapeMapping, {**MONTHLY_FEED, "performance": {"columns": columns, **changes}}, "mapping")


def test_every_shipped_mapping_is_understood(spark: Any) -> None:
    for name in SHIPPED:
        assert_mapping(spark, load_mapping(TapeMapping, name))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"checks": {"late": "days"}}, r"a condition, true or false, at 'performance.checks.late'[\s\S]*int"),
        (
            {"columns": {"upb": "days > 3"}},
            r"of type DECIMAL\(16,2\) at 'performance.columns.upb'[\s\S]*boolean",
        ),
    ],
)
def test_conditions_and_values_are_not_taken_for_each_other(spark: Any, changes: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        assert_mapping(spark, feed(**changes))


def test_an_expression_may_end_with_a_comment(spark: Any) -> None:
    assert_mapping(spark, feed(columns={"upb": "balance -- as billed"}))


def test_an_identifier_that_says_that_there_is_none_is_none(spark: Any, tmp_path: Any) -> None:
    tape = write_feed(tmp_path, "202001", [("7", "202001", 0), ("NULL", "202001", 0), ("nan", "202001", 0)])
    mapping = feed()
    found = find_files([tape], mapping.files)
    with landed_files("feed", found, tmp_path / "landing", None) as files:
        rows = canonical_performance(read_fields(spark, files), mapping).orderBy("line").collect()
    assert [row["reasons"] for row in rows] == [[], ["missing_loan_id"], ["missing_loan_id"]]
