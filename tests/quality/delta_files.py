"""Delta tables written by hand, with the columns of the package's own and without a JVM."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loanbook.tables.base import Table
from loanbook.tables.runs import RUNS

TYPES = {
    "STRING": ("string", pa.string()),
    "BIGINT": ("long", pa.int64()),
    "INT": ("integer", pa.int32()),
    "DOUBLE": ("double", pa.float64()),
    "BOOLEAN": ("boolean", pa.bool_()),
    "DATE": ("date", pa.date32()),
    "DECIMAL(16,2)": ("decimal(16,2)", pa.decimal128(16, 2)),
    "DECIMAL(22,2)": ("decimal(22,2)", pa.decimal128(22, 2)),
    "ARRAY<STRING>": (
        {"type": "array", "elementType": "string", "containsNull": True},
        pa.list_(pa.string()),
    ),
    "TIMESTAMP": ("timestamp", pa.timestamp("us", "UTC")),
    "MAP<STRING,BIGINT>": (
        {"type": "map", "keyType": "string", "valueType": "long", "valueContainsNull": True},
        pa.map_(pa.string(), pa.int64()),
    ),
    "MAP<STRING,DOUBLE>": (
        {"type": "map", "keyType": "string", "valueType": "double", "valueContainsNull": True},
        pa.map_(pa.string(), pa.float64()),
    ),
}


def write_table(folder: Path, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write version 0 of a table, what the rows do not say is null; columns of rarer types are left out."""
    columns = [column for column in table.columns if column.type in TYPES]
    schema = pa.schema([(column.name, TYPES[column.type][1]) for column in columns])
    content = [{name: row.get(name) for name in schema.names} for row in rows]
    (folder / table.name / "_delta_log").mkdir(parents=True)
    file = folder / table.name / "part-0.parquet"
    pq.write_table(pa.Table.from_pylist(content, schema), file)
    fields = [
        {"name": column.name, "type": TYPES[column.type][0], "nullable": True, "metadata": {}}
        for column in columns
    ]
    log = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {
            "id": table.name, "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps({"type": "struct", "fields": fields}),
            "partitionColumns": [], "configuration": {}, "createdTime": 0,
        }},
        {"add": {
            "path": file.name, "partitionValues": {}, "size": file.stat().st_size,
            "modificationTime": 0, "dataChange": True,
        }},
    ]  # fmt: skip
    (folder / table.name / "_delta_log" / f"{0:020d}.json").write_text("\n".join(map(json.dumps, log)))


def write_warehouse(folder: Path, *tables: tuple[Table, Sequence[Mapping[str, Any]]]) -> Path:
    """Write tables, and the run that published them."""
    for table, rows in tables:
        write_table(folder, table, rows)
    outputs = [(table.name, 0) for table, _ in tables]
    write_table(folder, RUNS, [{"run_id": "r", "status": "published", "outputs": outputs}])
    return folder
