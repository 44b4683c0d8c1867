"""The panel and the running state written: by the workers themselves, or by Spark where they cannot."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from loanbook.features.engine import Partition
from loanbook.features.months import last_day
from loanbook.features.panel import PanelInputs, Worker, by_loan
from loanbook.features.rows import ARROW_TYPES, Stamp, month_rows
from loanbook.features.saved_state import layout_id
from loanbook.tables.base import Table
from loanbook.tables.feature_state import FEATURE_STATE
from loanbook.tables.features import FEATURES
from loanbook.tables.worker_files import RECEIPT, RECEIPT_FIELDS, Receipt, write_file


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
    """
    worker = _writer(inputs, str(features_root), str(state_root), table)
    rows = by_loan(inputs, files).mapInArrow(worker, RECEIPT).collect()
    return [Receipt(*row) for row in rows]


def _writer(inputs: PanelInputs, features_root: str, state_root: str, table: Table) -> Worker:
    plan, stamp = inputs.plan, inputs.stamp
    types = {column.name: column.type for column in table.columns}

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = list(batches)
        if not rows:
            return
        pa.set_cpu_count(1)  # Spark gives a task one core
        partition = Partition(pa.Table.from_batches(rows), plan)
        rows.clear()
        receipts = []
        for known in partition.months():
            month = month_rows(known, partition.loans.ids, partition.flags, stamp, types)
            receipts.append(write_file(features_root, table, month, str(last_day(known.month))))
        state = state_rows(partition, stamp)
        if len(state):
            receipts.append(write_file(state_root, FEATURE_STATE, state, stamp.source))
        columns = [[getattr(receipt, name) for receipt in receipts] for name in RECEIPT_FIELDS]
        yield pa.RecordBatch.from_arrays([pa.array(values) for values in columns], names=list(RECEIPT_FIELDS))

    return run


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
