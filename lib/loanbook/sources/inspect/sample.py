"""The first rows of a file as columns of text, whatever the file's form."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loanbook.errors import InputError
from loanbook.sources.inspect.dialect import Dialect, find_dialect, has_header
from loanbook.sources.inspect.encoding import Text, read_text
from loanbook.sources.inspect.names import field_names
from loanbook.sources.landing.tape_file import TapeFile

BLOCK = 20_000  # lines that are cut at a time, each field a Python text: what bounds the memory
HEADER_SAMPLE = 200


@dataclass(frozen=True)
class Sample:
    """A file's first rows: trimmed text, null where blank. ``lines`` counts all that were read."""

    file: TapeFile
    columns: tuple[pa.ChunkedArray, ...]
    header: tuple[str, ...] | None
    header_by: str
    lines: int
    is_whole: bool
    text: Text | None = None
    dialect: Dialect | None = None
    parquet: str | None = None
    header_line: int = 1

    @property
    def rows(self) -> int:
        """Return the number of rows in the columns: of lines with the usual number of fields."""
        return len(self.columns[0])

    def names(self, layout: Sequence[str] | None = None) -> tuple[str, ...]:
        """Return one name a field, from the header, else from ``layout``, else field_1 and so on.

        >>> columns = (pa.chunked_array([["7"]]), pa.chunked_array([["x"]]))
        >>> Sample(TapeFile(None, "a.csv"), columns, None, "", 1, True).names(["loan_id"])
        ('loan_id', 'field_2')
        """
        given = self.header or layout or ()
        return field_names([given[k] if k < len(given) else "" for k in range(len(self.columns))])


def read_sample(file: TapeFile, limit: int) -> Sample:
    """Read the first ``limit`` lines or rows of a file (0: all).

    Raises:
        InputError: it is empty, damaged before its first line, or neither text nor Parquet.
    """
    if file.name.lower().endswith(".parquet"):
        return _parquet_sample(file, limit)
    text = read_text(file, limit)
    dialect = find_dialect(text.lines)
    if not dialect.counts.get(dialect.width):
        raise InputError(
            required=f"lines of data in {file.name}",
            found=f"{len(text.lines):,} blank lines",
            do="deliver the file again",
        )
    start, header, why = _header(text.lines, dialect)
    columns = _columns(text.lines[start:], dialect)
    facts = replace(text, lines=[])  # the columns hold them
    return Sample(
        file, columns, header, why, len(text.lines), text.is_whole, facts, dialect, header_line=start or 1
    )


def _header(lines: Sequence[str], dialect: Dialect) -> tuple[int, tuple[str, ...] | None, str]:
    """Return where the rows begin, the header above them, and by what it was decided."""
    cut, head = dialect.cut, lines[: HEADER_SAMPLE + 1]
    at = next((k for k, line in enumerate(head) if line.strip() and len(cut(line)) == dialect.width), 0)
    found, why = has_header(cut(head[at]), [cut(line) for line in head[at + 1 :] if line.strip()])
    if not found:
        return 0, None, why
    why += f"; it is in line {at + 1}, an ingest expects it in line 1" if at else ""
    return at + 1, tuple(name.strip() for name in cut(head[at])), why


def _columns(lines: Sequence[str], dialect: Dialect) -> tuple[pa.ChunkedArray, ...]:
    """Return the fields of the lines that have the usual number of them."""
    cut, width = dialect.cut, dialect.width
    chunks: list[list[pa.Array]] = [[] for _ in range(width)]
    for start in range(0, len(lines), BLOCK):
        rows = [cut(line) for line in lines[start : start + BLOCK] if line.strip()]
        for chunk, texts in zip(
            chunks, zip(*(row for row in rows if len(row) == width), strict=True), strict=False
        ):
            chunk.append(_trimmed(pa.array(texts, pa.string())))
    return tuple(pa.chunked_array(chunk, pa.string()) for chunk in chunks)


def _trimmed(texts: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def _parquet_sample(file: TapeFile, limit: int) -> Sample:
    try:
        with file.open() as stream:
            source = pq.ParquetFile(stream)
            total, groups = source.metadata.num_rows, source.metadata.num_row_groups
            schema = source.schema_arrow
            rows = _first_rows(source, limit or total)
    except (pa.ArrowInvalid, OSError) as error:
        raise InputError(
            required=f"Parquet in {file.name}", found=" ".join(str(error).split())[:200],
            do="deliver the file again",
        ) from error  # fmt: skip
    if not schema.names or not total:
        raise InputError(
            required=f"rows in {file.name}", found="a Parquet file without any", do="deliver the file again"
        )
    columns = tuple(pa.chunked_array([_trimmed(_as_text(batch.column(k))) for batch in rows], pa.string())
                    for k in range(len(schema.names)))  # fmt: skip
    read = sum(len(batch) for batch in rows)
    form = f"{total:,} rows in {groups:,} row group{'' if groups == 1 else 's'}"
    return Sample(
        file,
        columns,
        tuple(name.strip() for name in schema.names),
        "Parquet names its columns",
        read,
        read == total,
        parquet=form,
    )


def _first_rows(source: Any, limit: int) -> list[Any]:
    rows, left = [], limit
    for batch in source.iter_batches(batch_size=min(BLOCK, limit)):
        rows.append(batch.slice(0, left))
        left -= len(batch)
        if left <= 0:
            break
    return rows


def _as_text(column: pa.Array) -> pa.Array:
    try:
        return pc.cast(column, pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists, structs, bytes
        return pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.string())
