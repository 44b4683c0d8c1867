from dataclasses import replace
from datetime import date

import pytest

from loanbook.errors import InputError, LoanbookError
from loanbook.maintenance.every_table import TABLES
from loanbook.tables.base import Column
from loanbook.tables.macro import MACRO
from loanbook.warehouse import delta


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_describes_itself(table):
    assert set(table.key) <= set(table.column_names)
    assert set(table.partitions) <= set(table.column_names)
    assert len(set(table.column_names)) == len(table.column_names)
    assert all(len(column.comment) > 3 for column in table.columns)


def rows(spark, series="hpi", known_on=date(2020, 3, 31)):
    schema = MACRO.schema
    return spark.createDataFrame([("m", "US", date(2020, 1, 31), series, known_on, 1.0, "d")], schema)


def test_a_table_is_created_with_comments_constraints_and_a_protocol_others_read(make_run):
    run = make_run()
    delta.create(run.spark, run.storage, MACRO)
    name = run.storage.spark_name("macro")
    detail = run.spark.sql(f"DESCRIBE DETAIL {name}").first()
    assert detail["minReaderVersion"] == 1
    assert detail["properties"]["delta.constraints.known_after_month"] == "known_on >= as_of_date"
    assert detail["description"] == MACRO.description
    comments = {row["col_name"]: row["comment"] for row in run.spark.sql(f"DESCRIBE {name}").collect()}
    assert comments["value"] == "Value, in the unit of the series"


def test_a_row_that_breaks_a_constraint_or_lacks_a_value_leaves_the_table_as_it_was(make_run):
    run = make_run()
    version = delta.append(run.spark, run.storage, MACRO, rows(run.spark), {"run": 1})
    with pytest.raises(Exception, match="known_after_month"):
        delta.append(run.spark, run.storage, MACRO, rows(run.spark, known_on=date(2020, 1, 1)), {"run": 2})
    with pytest.raises(Exception, match="(?i)not null"):
        delta.append(run.spark, run.storage, MACRO, rows(run.spark, series=None), {"run": 3})
    assert delta.latest_version(run.spark, run.storage, MACRO) == version
    assert delta.read(run.spark, run.storage, MACRO, version).count() == 1


def test_conform_refuses_missing_and_unknown_columns_by_name(spark):
    with pytest.raises(LoanbookError, match=r"missing \['value'\], unknown \['worth'\]"):
        MACRO.conform(rows(spark).withColumnRenamed("value", "worth"))


def test_repeated_keys_are_named(spark):
    with pytest.raises(InputError, match="region=US"):
        delta.assert_unique(rows(spark).union(rows(spark)), MACRO)
    delta.assert_unique(rows(spark), MACRO)


def test_a_table_of_another_version_is_refused_with_the_columns_that_differ(make_run):
    run = make_run()
    delta.append(run.spark, run.storage, MACRO, rows(run.spark), {"run": 1})
    grown = replace(MACRO, columns=(*MACRO.columns, Column("unit", "STRING", "Unit of the value")))
    with pytest.raises(InputError, match=r"unit string[\s\S]*unit \(none\)"):
        delta.append(run.spark, run.storage, grown, rows(run.spark), {"run": 2})
