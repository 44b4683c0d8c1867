"""The peers of the ingest: the same tapes into tables by plain Spark and by DuckDB, with no checks.

``python -m tests.benchmarks.ingest_peers plain_spark|duckdb TAPES OUT`` prints one JSON line.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from loanbook.settings.settings import load_settings
from loanbook.sources.landing.find_files import find_files
from loanbook.sources.landing.tape_file import TapeFile
from loanbook.sources.mapping.file_spec import FieldType, FileSpec
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.mapping_files import load_mapping

SOURCE = "simulated"
THREADS = 2
WHOLE_STAGE = r"spark.conf.spark\.sql\.codegen\.wholeStage=true"  # as plain Spark has it, and faster here
TYPES = {"text": "STRING", "int": "INT", "double": "DOUBLE", "money": "DECIMAL(16,2)", "date": "DATE"}


def typed_sql(name: str, position: int, field: FieldType) -> str:
    """Return the expression of one field from ``parts``, the split line."""
    text = f"get(parts, {position})"
    if field.type == "date":
        text = f"concat_ws('-', substring({text}, 1, 4), substring({text}, 5, 2), '01')"
    return f"try_cast({text} AS {TYPES[field.type]}) AS {name}"


def by_plain_spark(tapes: str, out: Path) -> dict[str, Any]:
    """Land the tapes as ours does, split and cast every field, and write each kind as a Delta table."""
    from loanbook.sources.landing.chunks import LANDED_SCHEMA
    from loanbook.sources.landing.landing import by_tasks, landed_files
    from loanbook.warehouse.session import build_session

    mapping = load_mapping(TapeMapping, SOURCE)
    settings = load_settings("local", [WHOLE_STAGE]).spark
    spark = build_session(settings, "plain Spark")
    started = time.perf_counter()
    with landed_files(
        mapping.name, _found(mapping, tapes), out / "landing", None, None, by_tasks(spark)
    ) as files:
        seconds_landing = round(time.perf_counter() - started, 2)
        for spec in mapping.files:
            chunks = [chunk.as_uri() for file in files if file.spec is spec for chunk in file.chunks]
            lines = spark.read.schema(LANDED_SCHEMA).parquet(*chunks)
            parts = lines.selectExpr("split(_text, '[|]', -1) AS parts")
            layout = next(file.fields for file in files if file.spec is spec)
            fields = [typed_sql(name, k, field) for k, (name, field) in enumerate(layout.items())]
            parts.selectExpr(*fields).write.format("delta").save(str(out / spec.kind))
    return {"seconds_landing": seconds_landing}


def read_csv_sql(spec: FileSpec, files: Sequence[Path]) -> str:
    """Return DuckDB's reader of one kind of file, all fields typed, what a tape writes for missing not."""
    with files[0].open() as file:
        width = file.readline().count("|") + 1
    layout = next(fields for fields in spec.field_sets if len(fields) == width)
    columns = ", ".join(f"'{name}': '{_strict_type(field)}'" for name, field in layout.items())
    paths = ", ".join(f"'{path}'" for path in files)
    return (
        f"read_csv([{paths}], delim = '|', header = false, quote = '', escape = '', auto_detect = false, "
        f"dateformat = '%Y%m', columns = {{{columns}}})"
    )


def _strict_type(field: FieldType) -> str:
    """Return a field's type; text where letters stand for missing, which would stop a strict reader."""
    is_number = all(text.isdigit() for text in field.missing)
    return TYPES[field.type if is_number else "text"]


def by_duckdb(tapes: str, out: Path) -> dict[str, Any]:
    """Read the tapes' own files and write each kind as one Parquet file."""
    import duckdb

    mapping = load_mapping(TapeMapping, SOURCE)
    connection = duckdb.connect(config={"threads": THREADS})
    found = _found(mapping, tapes)
    for spec in mapping.files:
        reader = read_csv_sql(spec, [file.path for file, other in found if other is spec])
        (out / spec.kind).mkdir(parents=True)
        connection.execute(f"COPY (FROM {reader}) TO '{out / spec.kind / 'part-0.parquet'}'")
    return {}


def _found(mapping: TapeMapping, tapes: str) -> list[tuple[TapeFile, FileSpec]]:
    return find_files([tapes], mapping.files)


PEERS: Mapping[str, Callable[[str, Path], dict[str, Any]]] = {
    "plain_spark": by_plain_spark,
    "duckdb": by_duckdb,
}


if __name__ == "__main__":
    name, tapes, out = sys.argv[1:]
    sys.stdout.write(json.dumps(PEERS[name](tapes, Path(out))) + "\n")
