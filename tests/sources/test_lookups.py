"""Tapes of several files: what a lookup adds, what becomes of its lines; Delta tables in place of files."""

import copy

import pytest
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.settings.section import validated
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.quarantine import QUARANTINE
from tests.sources.tapes import MONTHLY_FEED, assert_reconciled, write_feed, write_mapping

FEED = MONTHLY_FEED["files"][0]
COLLATERAL = {
    "kind": "lookup", "name": "collateral", "key": "upper(loan)",
    "pattern": r"collateral\.csv", "header": True,
    "fields": {"loan": "text", "price": "money", "kind of house": "text"},
}  # fmt: skip
JOINED = {
    "files": [{**FEED, "joins": {"collateral": "id"}}, COLLATERAL],
    "loans": {
        "of": "performance",
        "columns": {
            "loan_id": "id",
            "ltv": "100 * try_divide(balance, collateral.price)",
            "property_type": "CASE collateral.`kind of house` WHEN 'house' THEN 'single_family' END",
        },
    },
    "performance": {
        "columns": MONTHLY_FEED["performance"]["columns"],
        "checks": {"no_collateral": {"when": "collateral.price IS NULL", "severity": "flag"}},
    },
}


def test_a_lookup_adds_its_fields_and_all_its_lines_are_accounted_for(ingest, rows, tmp_path):
    source = write_mapping(tmp_path / "feed.yaml", **JOINED)
    tape = write_feed(tmp_path / "tape", "202001", [("A", "202001", 0), ("B", "202001", 0)])
    lines = ["a,100.00,house", "a,200.00,house", "b,1x0,", ",5.00,", "z,7.00,"]
    (tmp_path / "tape" / "collateral.csv").write_text("loan,price,kind of house\n" + "\n".join(lines) + "\n")
    for _ in range(2):
        result = ingest(source, tmp_path / "tape", settings=("ingest.max_quarantined_share=0.5",))
        assert [(row["loan_id"], row["ltv"], row["property_type"]) for row in rows(LOANS)] == [
            ("A", 50, "single_family"), ("B", None, None),
        ]  # fmt: skip
        assert [(row["loan_id"], row["quality_flags"]) for row in rows(PERFORMANCE)] == [
            ("A", []), ("B", ["no_collateral"]),
        ]  # fmt: skip
        assert {(row["kind"], row["line"]): row["reasons"] for row in rows(QUARANTINE)} == {
            ("collateral", 4): ["unreadable_price"], ("collateral", 5): ["missing_key"],
        }  # fmt: skip
        assert (result["lines"], result["published"], result["superseded"]) == (7, 4, 1)
        assert result["flagged"] == {
            "collateral": {"conflicting_rows": 1}, "performance": {"no_collateral": 1},
        }  # fmt: skip
        assert_reconciled(rows(DELIVERIES), {"performance": 2, "collateral": 2})
    with pytest.raises(InputError, match=r"(?s)the collateral file of slice 202001.*deliver the files"):
        ingest(source, tape, scope="delta")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([FEED, COLLATERAL], "joined by some file"),
        ([{**FEED, "joins": {"houses": "id"}}, COLLATERAL], "joined: houses"),
        ([FEED, {**COLLATERAL, "key": None}], "'name' and 'key' are required"),
        ([FEED, {**COLLATERAL, "name": "loans"}], "a name of its own"),
        ([{**FEED, "joins": {"days": "id"}}, {**COLLATERAL, "name": "days"}], "fields of the file: days"),
    ],
)
def test_a_lookup_that_nothing_can_join_is_refused(files, words):
    with pytest.raises(InputError, match=words):
        validated(TapeMapping, {**copy.deepcopy(MONTHLY_FEED), "files": files}, "mapping")


def test_an_expression_of_a_join_is_checked_before_anything_runs(ingest, tmp_path):
    files = [{**FEED, "joins": {"collateral": "idd"}}, COLLATERAL]
    source = write_mapping(tmp_path / "feed.yaml", **{**JOINED, "files": files})
    write_feed(tmp_path / "tape", "202001", [("A", "202001", 0)])
    (tmp_path / "tape" / "collateral.csv").write_text("loan,price,kind of house\na,1,\n")
    with pytest.raises(InputError, match=r"(?s)'files\.0\.joins\.collateral', line \d+.*idd"):
        ingest(source, tmp_path / "tape")


def test_a_delta_table_is_a_tape_whose_version_is_the_delivery(ingest, rows, spark, tmp_path):
    file = {key: value for key, value in FEED.items() if key not in ("slice", "header")}
    file |= {"pattern": "loan_months", "fields": {**FEED["fields"], "month": "date"}}
    source = write_mapping(tmp_path / "feed.yaml", files=[file])
    table = (tmp_path / "lake" / "loan_months").as_uri()
    months = spark.createDataFrame(
        [("A", "2020-01-31", 0, 1.5), ("B", "2020-01-31", 40, None), ("C", None, 0, 2.0)],
        "id STRING, month STRING, days INT, balance DOUBLE",
    ).withColumn("month", F.col("month").cast("date"))
    months.repartition(2).write.format("delta").save(table)
    lenient = ("ingest.max_quarantined_share=0.5",)
    result = ingest(source, tmp_path / "lake", settings=lenient)
    assert (result["lines"], result["published"], result["quarantined"]) == (3, 2, 1)
    assert [(row["loan_id"], row["state"], row["upb"]) for row in rows(PERFORMANCE)] == [
        ("A", "current", 1.5), ("B", "dpd30", None),
    ]  # fmt: skip
    assert rows(QUARANTINE)[0]["reasons"] == ["missing_as_of_date"]
    (delivery,) = rows(DELIVERIES)
    ingest(source, tmp_path / "lake" / "loan_months", settings=lenient)
    assert rows(DELIVERIES) == [delivery]  # the same version is the same delivery
    months.where("id = 'A'").write.format("delta").mode("overwrite").save(table)
    wide = ("ingest.bounds.rows=[0,9]", "ingest.bounds.upb=[0,9]", "ingest.bounds.vanished_loans=[0,1]")
    ingest(source, tmp_path / "lake", settings=(*wide, "ingest.bounds.delinquent_share=[-1,1]"))
    assert [row["loan_id"] for row in rows(PERFORMANCE)] == ["A"]
    assert len(rows(DELIVERIES)) == 2
    spark.sql(f"CREATE TABLE loan_months USING delta LOCATION '{table}'")
    again = ingest(source, "table:loan_months")
    spark.sql("DROP TABLE loan_months")
    assert (again["published"], len(rows(DELIVERIES))) == (
        1,
        2,
    )  # by its name in the catalogue: the same version
    with pytest.raises(InputError, match="a Delta table nowhere"):
        ingest(
            write_mapping(tmp_path / "other.yaml", files=[{**file, "pattern": "nowhere"}]), "table:nowhere"
        )
