"""Landing: every line of a tape, with its file and number, into Parquet chunks that tasks share."""

import io
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loanbook.errors import InputError
from loanbook.sources.file_spec import FieldType, FileSpec
from loanbook.sources.files import TapeFile, delivered_at_of, slice_of

BLOCK = 8 * 1024 * 1024  # characters read, cut and written at a time: what bounds the driver's memory
BLOCKS_PER_FILE = 4  # so that one chunk is one task's work
LAYOUT_LINES = 200  # read to tell a file's layout
UNIT_SEPARATOR = "\x1f"  # between the columns of a Parquet file's row, whose texts may hold any other sign

LANDED_SCHEMA = (
    "_source STRING, _slice STRING, _delivery STRING, _delivered_at DATE, _line BIGINT, _text STRING"
)


@dataclass(frozen=True)
class Landed:
    """A file of the tape whose lines have landed."""

    source: str
    spec: FileSpec
    fields: Mapping[str, FieldType]
    name: str
    slice: str
    delivered_at: date | None
    sha256: str
    header: tuple[str, ...] | None
    delimiter: str
    quote: str | None
    lines: int
    chunks: tuple[Path, ...]

    @property
    def delivery(self) -> str:
        """Return the key of the delivery: the name with the start of its hash."""
        return f"{self.name}:{self.sha256[:12]}"


@contextmanager
def landed_files(
    source: str,
    found: Sequence[tuple[TapeFile, FileSpec]],
    folder: Path,
    delivered_at: date | None,
    slice_: str | None = None,
) -> Iterator[list[Landed]]:
    """Yield the landed files of a tape; their chunks are removed when the block ends.

    Args:
        source: the source's name.
        found: the files, with what they hold.
        folder: gets the chunks.
        delivered_at: day of delivery; None reads it from the files' names.
        slice_: of every file; None reads it from the files' names.

    Raises:
        InputError: a file is empty, damaged, or not text in its encoding.
    """
    try:
        yield [
            _land(source, file, spec, folder / f"{number:05d}", delivered_at, slice_)
            for number, (file, spec) in enumerate(found)
        ]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _land(
    source: str, file: TapeFile, spec: FileSpec, folder: Path, delivered_at: date | None, slice_: str | None
) -> Landed:
    slice_ = slice_ or slice_of(file.name, spec)
    day = delivered_at or delivered_at_of(file.name, spec)
    sha256 = file.sha256()
    constants = (source, slice_, f"{file.name}:{sha256[:12]}", day)
    folder.mkdir(parents=True)
    is_parquet = file.name.endswith(".parquet")
    delimiter, quote = (UNIT_SEPARATOR, None) if is_parquet else (spec.delimiter, spec.quote)
    with file.open() as stream:
        blocks = _parquet_blocks(stream) if is_parquet else _text_blocks(stream, spec, file)
        header = _header(blocks, delimiter, quote) if is_parquet or spec.header else None
        fields, blocks = _layout(blocks, spec, header, delimiter, quote)
        lines, chunks = _write(blocks, folder, constants)
    if lines == 0:
        raise InputError(
            required=f"at least one line of data in {file.name}", found="none", do="deliver the file again"
        )
    return Landed(
        source, spec, fields, file.name, slice_, day, sha256, header, delimiter, quote, lines, tuple(chunks)
    )


def _text_blocks(stream: Any, spec: FileSpec, file: TapeFile) -> Iterator[pa.Array]:
    """Yield the lines of a text stream, some million characters at a time."""
    reader = io.TextIOWrapper(stream, encoding=spec.encoding, newline="")
    rest = ""
    try:
        if spec.header:
            yield pa.array([reader.readline().rstrip("\r\n")])
        while text := reader.read(BLOCK):
            whole, newline, rest = (rest + text).rpartition("\n")
            if newline:
                yield _lines(whole + newline)
    except UnicodeDecodeError as error:
        raise InputError(
            required=f"{file.name} in the encoding {spec.encoding}", found=str(error),
            do="name the file's encoding in the mapping",
        ) from error  # fmt: skip
    if rest:
        yield _lines(rest + "\n")


def _lines(text: str) -> pa.Array:
    """Cut a text that ends in a newline into its lines, without a Python object for each."""
    content = text.encode("utf-8")
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n")) + 1
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    whole = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(content))
    return pc.ascii_rtrim(whole, characters="\r\n")


def _parquet_blocks(stream: Any) -> Iterator[pa.Array]:
    """Yield a header, then the rows of a Parquet file as text, its columns divided by the unit separator."""
    source = pq.ParquetFile(stream)
    yield pa.array([UNIT_SEPARATOR.join(source.schema_arrow.names)])
    for batch in source.iter_batches(batch_size=65_536):
        columns = [pc.cast(column, pa.string()) for column in batch.columns]
        yield pc.binary_join_element_wise(
            *columns, UNIT_SEPARATOR, null_handling="replace", null_replacement=""
        )


def _layout(
    blocks: Iterator[pa.Array],
    spec: FileSpec,
    header: tuple[str, ...] | None,
    delimiter: str,
    quote: str | None,
) -> tuple[dict[str, FieldType], Iterator[pa.Array]]:
    """Return the layout that the file has, the first of the spec where it fits none, and the blocks again."""
    first = next(blocks, None)
    if first is None:
        return spec.field_sets[0], blocks
    found = set(header or ())
    widths = Counter(number_of_fields(line, delimiter, quote) for line in first[:LAYOUT_LINES].to_pylist())
    usual = max(widths, key=lambda width: widths[width])  # one odd line does not decide
    fits = (
        fields for fields in spec.field_sets if (found >= set(fields) if header else len(fields) == usual)
    )
    return next(fits, spec.field_sets[0]), chain([first], blocks)


def number_of_fields(line: str, delimiter: str, quote: str | None) -> int:
    """Return the number of fields of a line; a delimiter between quote signs divides nothing.

    >>> number_of_fields('1,"a, b",c', ",", '"')
    3
    """
    if quote is None or quote not in line:
        return line.count(delimiter) + 1
    return 1 + sum(part.count(delimiter) for part in line.split(quote)[::2])


def _header(blocks: Iterator[pa.Array], delimiter: str, quote: str | None) -> tuple[str, ...]:
    names = next(blocks)[0].as_py().split(delimiter)
    return tuple(name.strip().strip(quote or " ") for name in names)


def _write(blocks: Iterator[pa.Array], folder: Path, constants: tuple[Any, ...]) -> tuple[int, list[Path]]:
    types = (pa.string(), pa.string(), pa.string(), pa.date32())
    schema = pa.schema([(field.split()[0], kind) for field, kind in zip(
        LANDED_SCHEMA.split(", "), (*types, pa.int64(), pa.string()), strict=True)])  # fmt: skip
    line, chunks = 1, []
    for first in blocks:
        chunks.append(folder / f"{line:012d}.parquet")
        with pq.ParquetWriter(
            chunks[-1], schema, compression="lz4", use_dictionary=schema.names[:4]
        ) as writer:
            for lines in chain([first], islice(blocks, BLOCKS_PER_FILE - 1)):
                fixed = [
                    pa.repeat(pa.scalar(value, kind), len(lines))
                    for value, kind in zip(constants, types, strict=True)
                ]
                numbers = pa.array(np.arange(line, line + len(lines)))
                writer.write_table(pa.Table.from_arrays([*fixed, numbers, lines], schema=schema))
                line += len(lines)
    return line - 1, chunks
