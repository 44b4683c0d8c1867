"""Landing: every line of a tape, with its file and number, into Parquet chunks that tasks share."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.sources.landing.chunks import LANDED_SCHEMA, UNIT_SEPARATOR, write_chunks
from loanbook.sources.landing.file_names import delivered_at_of, slice_of
from loanbook.sources.landing.table_rows import last_version, numbered_lines
from loanbook.sources.landing.tape_file import TapeFile
from loanbook.sources.landing.text_blocks import Block, sound, text_blocks
from loanbook.sources.mapping.file_layout import by_header, by_width, cutter
from loanbook.sources.mapping.file_spec import FieldType, FileSpec
from loanbook.warehouse.storage import held_folder

FEW_BYTES = 64 * 1024 * 1024  # a tape of fewer lands here sooner than the Python workers of tasks start
TASKS_PER_SLOT = 2  # not a task for each file: it would cost more than most files do
LAYOUT_LINES = 200  # read to tell a file's layout

Order = tuple[TapeFile, FileSpec, Path]


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


Land = Callable[..., Landed | InputError]  # takes an order and, for a table, the keyword spark
Spread = Callable[[Land, list[Order]], list[Landed | InputError]]


def one_by_one(land: Land, orders: list[Order]) -> list[Landed | InputError]:
    """Land file after file in this process."""
    return [land(order) for order in orders]


def by_tasks(spark: SparkSession) -> Spread:
    """Return a function that lands the files of a large tape in tasks, and a table by Spark."""

    def spread(land: Land, orders: list[Order]) -> list[Landed | InputError]:
        files = [order for order in orders if order[0].table is None]
        if sum(file.path.stat().st_size for file, _, _ in files) < FEW_BYTES:
            landed = one_by_one(land, files)
        else:
            slots = spark.sparkContext.defaultParallelism * TASKS_PER_SLOT
            landed = spark.sparkContext.parallelize(files, min(len(files), slots)).map(land).collect()
        of_files = iter(landed)
        with_spark = partial(land, spark=spark)
        return [with_spark(order) if order[0].table else next(of_files) for order in orders]

    return spread


@contextmanager
def landed_files(
    source: str,
    found: Sequence[tuple[TapeFile, FileSpec]],
    folder: Path,
    delivered_at: date | None,
    slice_: str | None = None,
    spread: Spread = one_by_one,
) -> Iterator[list[Landed]]:
    """Yield the landed files of a tape; their chunks are removed when the block ends.

    Args:
        source: the source's name.
        found: the files, with what they hold.
        folder: gets the chunks.
        delivered_at: day of delivery; None reads it from the files' names.
        slice_: of every file; None reads it from the files' names.
        spread: who does the work.

    Raises:
        InputError: a file is empty, damaged, or in another encoding throughout.
    """
    land = partial(_landed, source=source, delivered_at=delivered_at, slice_=slice_)
    orders = [(file, spec, folder / f"{number:05d}") for number, (file, spec) in enumerate(found)]
    with held_folder(folder):
        landed = spread(land, orders)
        for file in landed:
            if isinstance(file, InputError):
                raise file
        # What a task landed comes back with a copy of its spec; files are told by the identity of theirs.
        files = [file for file in landed if isinstance(file, Landed)]
        yield [replace(file, spec=spec) for file, (_, spec) in zip(files, found, strict=True)]


def _landed(
    order: Order,
    *,
    source: str,
    delivered_at: date | None,
    slice_: str | None,
    spark: SparkSession | None = None,
) -> Landed | InputError:
    """Land one file; what is wrong with it is returned, as Spark would wrap what a task raises."""
    file, spec, folder = order
    try:
        slice_ = slice_ or slice_of(file.name, spec)
        day = delivered_at or delivered_at_of(file.name, spec)
        folder.mkdir(parents=True)
        if file.table is None:
            return _land(source, file, spec, folder, day, slice_)
        return _land_table(spark, source, file, spec, folder, day, slice_)
    except InputError as error:
        return error


def _land_table(
    spark: SparkSession | None,
    source: str,
    file: TapeFile,
    spec: FileSpec,
    folder: Path,
    day: date | None,
    slice_: str,
) -> Landed:
    if spark is None or file.table is None:
        raise InputError(required=f"a Spark session for the table {file.name}", found="none", do="use a job")
    version = last_version(spark, file.table)
    constants = (source, slice_, f"{file.name}:{version.sha256[:12]}", day)
    fixed = [
        F.lit(value).cast(field.split()[1]).alias(field.split()[0])
        for value, field in zip(constants, LANDED_SCHEMA.split(", "), strict=False)
    ]
    rows, count = numbered_lines(version.frame, UNIT_SEPARATOR, folder / "sorted")
    if count == 0:
        raise _empty(file)
    nothing = F.lit(None).cast("string")
    lines = rows.select(*fixed, "_line", "_text", nothing.alias("_fields"), nothing.alias("_damage"))
    lines.write.option("compression", "lz4").parquet(str(folder / "lines"))
    header = tuple(version.frame.columns)
    return Landed(
        source, spec, by_header(spec, header), file.name, slice_, day, version.sha256, header,
        UNIT_SEPARATOR, None, count, (folder / "lines",),
    )  # fmt: skip


def _empty(file: TapeFile) -> InputError:
    return InputError(
        required=f"at least one line of data in {file.name}", found="none", do="deliver the file again"
    )


def _land(source: str, file: TapeFile, spec: FileSpec, folder: Path, day: date | None, slice_: str) -> Landed:
    sha256 = file.sha256()
    constants = (source, slice_, f"{file.name}:{sha256[:12]}", day)
    is_parquet = file.name.lower().endswith(".parquet")
    delimiter, quote = (UNIT_SEPARATOR, None) if is_parquet else (spec.delimiter, spec.quote)
    with file.open() as stream:
        blocks = _parquet_blocks(stream) if is_parquet else text_blocks(stream, spec, file.name)
        header = _header(blocks, file, delimiter, quote) if is_parquet or spec.header else None
        fields, blocks = _layout(blocks, spec, header, delimiter, quote)
        first = 2 if spec.header and not is_parquet else 1
        lines, chunks = write_chunks(blocks, folder, constants, first, delimiter, quote)
    if lines == 0:
        raise _empty(file)
    return Landed(
        source, spec, fields, file.name, slice_, day, sha256, header, delimiter, quote, lines, tuple(chunks)
    )


def _parquet_blocks(stream: Any) -> Iterator[Block]:
    """Yield a header, then the rows of a Parquet file as text, its columns divided by the unit separator."""
    source = pq.ParquetFile(stream)
    yield sound(pa.array([UNIT_SEPARATOR.join(source.schema_arrow.names)]))
    for batch in source.iter_batches(batch_size=65_536):
        columns = [pc.cast(column, pa.string()) for column in batch.columns]
        yield sound(
            pc.binary_join_element_wise(
                *columns, UNIT_SEPARATOR, null_handling="replace", null_replacement=""
            )
        )


def _layout(
    blocks: Iterator[Block],
    spec: FileSpec,
    header: tuple[str, ...] | None,
    delimiter: str,
    quote: str | None,
) -> tuple[dict[str, FieldType], Iterator[Block]]:
    """Return the layout that the file has, the first of the spec where it fits none, and the blocks again."""
    if header is not None:
        return by_header(spec, header), blocks
    first = next(blocks, None)
    if first is None:
        return spec.field_sets[0], blocks
    lines = first[0][:LAYOUT_LINES].to_pylist()
    return by_width(spec, lines, delimiter, quote), chain([first], blocks)


def _header(blocks: Iterator[Block], file: TapeFile, delimiter: str, quote: str | None) -> tuple[str, ...]:
    first = next(blocks, None)
    if first is None:
        raise _empty(file)
    return tuple(name.strip() for name in cutter(delimiter, quote)(first[0][0].as_py()))
