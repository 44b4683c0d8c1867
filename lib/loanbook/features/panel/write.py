"""Writing the panel and the running state: by the workers themselves, or by Spark where they cannot."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import reduce
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.storagelevel import StorageLevel

from loanbook.book.membership import one_file_a_month
from loanbook.book.months import last_day
from loanbook.errors import InputError
from loanbook.features.catalogue.table import FEATURES
from loanbook.features.engine.partition import Partition
from loanbook.features.engine.saved_state import layout_id
from loanbook.features.panel.inputs import (
    REFUSED,
    STATE_COLUMNS,
    PanelInputs,
    Worker,
    by_loan,
    panel_and_state,
    require_usable,
)
from loanbook.features.panel.rows import ARROW_TYPES, Stamp, month_rows
from loanbook.features.plan.increment import Step
from loanbook.tables.base import Table
from loanbook.tables.columns import of_source
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.warehouse import delta
from loanbook.warehouse.session import named
from loanbook.warehouse.worker_files import RECEIPT, RECEIPT_FIELDS, Receipt, write_file
from loanbook.warehouse.writing import Writer

LOANS_PER_FILE = 64_000  # a worker holds all reports of so many loans at once


def write_panel(
    writer: Writer, parts: Sequence[PanelInputs], step: Step, in_book: int, kept: DataFrame | None
) -> dict[date, int]:
    """Write the step's months and the running state after them; return the rows of each month.

    Args:
        writer: of the tables.
        parts: inputs of the loans that go on from the running state or, without one, of all; then of those
            that are made anew.
        step: the months.
        in_book: how many loans are in the book at the last of them.
        kept: published rows of these months that stay, None without any.
    """
    tables = (FEATURES, FEATURE_STATE)
    writer.prepare(*tables)
    for table in tables:
        delta.create(writer.spark, writer.storage, table)
    features, state = (writer.storage.table_folder(table.name) for table in tables)
    if not step.restates and features and state:
        with named(writer.spark, "build-features: write features"):
            receipts = [
                receipt
                for part in parts
                for receipt in written_by_workers(part, features, state, _files(part, in_book))
            ]
        own = of_source(parts[0].stamp.source)
        for table, where in zip(tables, (_months_where(step), own), strict=True):
            writer.replace_by_files(table, receipts, where)
        return _rows_by_month(receipts)
    return _written_by_spark(writer, parts, step, kept)


def _files(part: PanelInputs, in_book: int) -> int:
    """Return how many files a month gets: by all loans if made anew, else by those that had not left before.

    Loans made anew beside those that go on from the running state have files of their own.
    """
    return files_a_month(part.loans.count() if part.state is None else max(part.state.count(), in_book))


def files_a_month(loans: int) -> int:
    """Return how many files a month gets of so many loans: one for each 64,000, begun."""
    return max(1, -(-loans // LOANS_PER_FILE))


def _months_where(step: Step) -> str:
    if step.built is None:
        return "true"
    # Delta cannot resolve BETWEEN in replaceWhere under Spark 4.0.
    first, last = last_day(step.first_month), last_day(step.last_month)
    return f"as_of_date >= DATE'{first}' AND as_of_date <= DATE'{last}'"


def _rows_by_month(receipts: Sequence[Receipt]) -> dict[date, int]:
    counts: dict[date, int] = {}
    for receipt in receipts:
        if receipt.table == FEATURES.name:
            month = date.fromisoformat(receipt.partition)
            counts[month] = counts.get(month, 0) + receipt.rows
    return counts


def _written_by_spark(
    writer: Writer, parts: Sequence[PanelInputs], step: Step, kept: DataFrame | None
) -> dict[date, int]:
    source = parts[0].stamp.source
    made = reduce(DataFrame.unionByName, map(panel_and_state, parts)).persist(StorageLevel.DISK_ONLY)
    names = [column.name for column in STATE_COLUMNS]
    own = of_source(source)
    try:
        with named(writer.spark, "build-features: write features"):
            require_usable(made)
        panel = made.where(F.col("core").isNull()).drop(*names, REFUSED)
        if kept is not None:
            panel = panel.unionByName(kept)
        writer.replace(FEATURES, one_file_a_month(panel), f"{own} AND {_months_where(step)}")
        fixed = {"source": source, "as_of_date": last_day(step.last_month), "layout": layout_id()}
        state = made.where(F.col("core").isNotNull()).select("loan_id", *names)
        state = state.withColumns({name: F.lit(value) for name, value in fixed.items()})
        writer.replace(FEATURE_STATE, state, own)
    finally:
        made.unpersist()
    written = delta.read(writer.spark, writer.storage, FEATURES, writer.outputs[FEATURES.name])
    written = written.where(f"{own} AND {_months_where(step)}")
    with named(writer.spark, "build-features: check"):
        delta.assert_unique(written, FEATURES)
        return {row["as_of_date"]: row["count"] for row in written.groupBy("as_of_date").count().collect()}


def rows_kept(published: DataFrame, step: Step, corrected: DataFrame) -> DataFrame:
    """Return the published rows of months written again, of the loans that no correction touches."""
    until = F.col("as_of_date").between(F.lit(last_day(step.first_month)), F.lit(last_day(step.built or 0)))
    return (
        published.where(until)
        .select(*FEATURES.column_names)
        .join(F.broadcast(corrected.select("loan_id")), "loan_id", "left_anti")
    )


def written_by_workers(
    inputs: PanelInputs, features_root: Path, state_root: Path, files: int, table: Table = FEATURES
) -> list[Receipt]:
    """Write the months of the plan and the state after the last one; return the receipts, to commit.

    Args:
        inputs: of the panel.
        features_root: folder of the features table.
        state_root: folder of the table of the running state.
        files: how many each month gets at most.
        table: of the features, whose columns are computed.

    Raises:
        InputError: two reports of a loan and month.
    """
    worker = _writer(inputs, str(features_root), str(state_root), table)
    receipts = [Receipt(*row) for row in by_loan(inputs, files).mapInArrow(worker, RECEIPT).collect()]
    refused = [receipt for receipt in receipts if receipt.table == REFUSED]
    if refused:
        raise InputError.from_json(refused[0].stats)
    return receipts


def _writer(inputs: PanelInputs, features_root: str, state_root: str, table: Table) -> Worker:
    plan, stamp = inputs.plan, inputs.stamp
    types = {column.name: column.type for column in table.columns}

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = list(batches)
        if not rows:
            return
        pa.set_cpu_count(1)  # Spark gives a task one core
        try:
            partition = Partition(pa.Table.from_batches(rows), plan)
        except InputError as error:
            yield _as_batch([Receipt(REFUSED, "", "", 0, 0, error.as_json())])
            return
        rows.clear()
        receipts = []
        for known in partition.months():
            month = month_rows(known, partition.loans.ids, partition.flags, stamp, types)
            receipts.append(write_file(features_root, table, month, str(last_day(known.month))))
        state = state_rows(partition, stamp)
        if len(state):
            receipts.append(write_file(state_root, FEATURE_STATE, state, stamp.source))
        yield _as_batch(receipts)

    return run


def _as_batch(receipts: Sequence[Receipt]) -> pa.RecordBatch:
    columns = [[getattr(receipt, name) for receipt in receipts] for name in RECEIPT_FIELDS]
    return pa.RecordBatch.from_arrays([pa.array(values) for values in columns], names=list(RECEIPT_FIELDS))


def state_rows(partition: Partition, stamp: Stamp) -> pa.Table:
    """Return the rows of the ``feature_state`` table after the partition's last month."""
    state = partition.state()
    fixed = {"source": stamp.source, "as_of_date": last_day(partition.plan.last_month), "layout": layout_id()}
    types = {"BINARY": pa.binary(), **ARROW_TYPES}
    columns = {
        column.name: state[column.name].combine_chunks()
        if column.name in state.column_names
        else pa.repeat(pa.scalar(fixed[column.name], types[column.type]), len(state))
        for column in FEATURE_STATE.columns
    }
    return pa.table(columns)
