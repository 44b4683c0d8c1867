"""Landed lines as Parquet chunks, each one task's work: every line with its file and number."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loanbook.sources.landing.text_blocks import UNBALANCED, Block
from loanbook.sources.mapping.file_layout import cutter

BLOCKS_PER_FILE = 4  # so that one chunk is one task's work
UNIT_SEPARATOR = "\x1f"  # between fields whose texts may hold any other sign

LANDED_ARROW = pa.schema(
    {
        "_source": pa.string(), "_slice": pa.string(), "_delivery": pa.string(), "_delivered_at": pa.date32(),
        "_line": pa.int64(), "_text": pa.string(), "_fields": pa.string(), "_damage": pa.string(),
    }
)  # fmt: skip
_SQL_TYPES = {pa.string(): "STRING", pa.date32(): "DATE", pa.int64(): "BIGINT"}
LANDED_SCHEMA = ", ".join(f"{field.name} {_SQL_TYPES[field.type]}" for field in LANDED_ARROW)


def write_chunks(
    blocks: Iterator[Block],
    folder: Path,
    constants: tuple[Any, ...],
    first_line: int,
    delimiter: str,
    quote: str | None,
) -> tuple[int, list[Path]]:
    """Write lines as Parquet, numbered as in the file; return how many there are, and the chunks' paths.

    Args:
        blocks: lines and what is wrong with each.
        folder: gets the chunks.
        constants: source, slice, delivery and day of delivery of every line.
        first_line: number of the first of them.
        delimiter: between the fields.
        quote: where the file has one, the fields are written too, as Spark cannot cut them.
    """
    names = LANDED_ARROW.names[:4]
    line, chunks = first_line, []
    for first in blocks:
        chunks.append(folder / f"{line:012d}.parquet")
        with pq.ParquetWriter(chunks[-1], LANDED_ARROW, compression="lz4", use_dictionary=names) as writer:
            for lines, damage in chain([first], islice(blocks, BLOCKS_PER_FILE - 1)):
                fixed = [
                    pa.repeat(pa.scalar(value, LANDED_ARROW.field(name).type), len(lines))
                    for name, value in zip(names, constants, strict=True)
                ]
                numbers = pa.array(np.arange(line, line + len(lines)))
                fields = pa.nulls(len(lines), pa.string())
                if quote is not None:
                    fields, damage = _quoted(lines, damage, delimiter, quote)
                arrays = [*fixed, numbers, lines, fields, damage]
                writer.write_table(pa.Table.from_arrays(arrays, schema=LANDED_ARROW))
                line += len(lines)
    return line - first_line, chunks


def _quoted(lines: pa.Array, damage: pa.Array, delimiter: str, quote: str) -> Block:
    """Return the fields of lines with quote signs, divided by the unit separator, and what is wrong."""
    cut = cutter(delimiter, quote)
    fields = pa.array([UNIT_SEPARATOR.join(cut(line)) for line in lines.to_pylist()], pa.string())
    is_odd = pc.equal(pc.bit_wise_and(pc.count_substring(lines, quote), 1), 1)
    return fields, pc.coalesce(damage, pc.if_else(is_odd, UNBALANCED, None))
