from datetime import date

from pyspark.sql import functions as F

from loanbook.evaluation.vintages import with_vintages
from loanbook.tables.loans import LOANS
from tests.evaluation.rows import made_up


def publish_loans(run, originated):
    """Publish loans, by source and name, of which nothing is known but, of some, the month of origination."""
    given = {"product": "mortgage", "delivery": "d", "slice": "all", "file": "f"}
    rows = [(*names, month) for names, month in originated.items()]
    known = run.spark.createDataFrame(rows, "source string, loan_id string, origination_date date")
    columns = {
        column.name: F.col(column.name) if column.name in known.columns else _filled(column, given)
        for column in LOANS.columns
    }
    run.replace(LOANS, known.select(*(columns[name].alias(name) for name in columns)), "true")
    run.finish({})


def _filled(column, given):
    empty = {"INT": 0, "BIGINT": 0, "DATE": date(2020, 1, 31)}.get(column.type, "")
    value = given.get(column.name, empty if column.required else None)
    return (F.array() if column.required and "ARRAY" in column.type else F.lit(value)).cast(column.type)


def test_a_vintage_is_the_year_of_the_loans_first_report(make_run):
    months = {
        ("tiny", "L0"): date(2017, 12, 1), ("tiny", "L1"): None, ("tiny", "L9"): date(2001, 1, 1),
        ("other", "L2"): date(2003, 1, 1),
    }  # fmt: skip
    publish_loans(make_run("ingest"), months)
    (part,) = with_vintages(make_run().read_source(LOANS, "tiny"), [made_up(3)])
    assert dict(zip(part.frame["loan_id"], part.vintage, strict=True)) == {
        "L0": "2017", "L1": "unknown", "L2": "unknown"
    }  # fmt: skip


def test_without_loans_every_vintage_is_unknown(make_run):
    run = make_run()
    (part,) = with_vintages(run.read_source(LOANS, "tiny"), [made_up(3)])
    assert set(part.vintage) == {"unknown"}
    assert "loans" not in run.inputs
    (none,) = with_vintages(run.read_source(LOANS, "tiny"), [made_up(0)])
    assert len(none.vintage) == 0
