"""A text file as blocks of lines: cut at line ends, decoded, every line kept whatever its bytes."""

import codecs
from collections.abc import Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loanbook.errors import InputError
from loanbook.sources.landing.signatures import BYTE_ORDER_MARKS, refuse_signature
from loanbook.sources.mapping.file_spec import FileSpec

BLOCK = 8 * 1024 * 1024  # bytes read, cut and written at a time: what bounds a task's memory
LONGEST_LINE = 64 * 1024 * 1024  # bytes without an end of line, above which the file is no text

ENCODING = "encoding"  # what is wrong with a line: it holds bytes that are no text in the file's encoding
UNBALANCED = "unbalanced_quotes"  # it holds an odd number of quote signs: a part of a record, or a stray sign
UNENDED = "unended_last_line"  # it is the last and has no end: it may have been cut

Block = tuple[pa.Array, pa.Array]  # lines, and what is wrong with each; null where nothing is


def text_blocks(stream: IO[bytes], spec: FileSpec, name: str) -> Iterator[Block]:
    r"""Yield the lines of a text file, the header first and alone where the spec has one.

    No line is lost: one that is not text in the spec's encoding is kept and marked, its odd bytes escaped in
    hexadecimal, and so is a last line without its end.

    Args:
        stream: the file's bytes.
        spec: says its encoding, and whether it has a header.
        name: of the file, for messages.

    Raises:
        InputError: the file is in another encoding throughout, or has no line ends.

    >>> from io import BytesIO
    >>> spec = FileSpec(kind="loans", pattern=".*", encoding="utf-8", fields={"id": "text"})
    >>> blocks = text_blocks(BytesIO(b"A|1\r\nB|\xff\nC|3"), spec, "loans.csv")
    >>> [(lines.to_pylist(), damage.to_pylist()) for lines, damage in blocks]
    [(['A|1', 'B|\\xff'], [None, 'encoding']), (['C|3'], ['unended_last_line'])]
    """
    codec = codecs.lookup(spec.encoding).name
    is_first = True
    for content in _cut(_transcoded(stream, codec, name), name):
        lines, damage = _block(content, "utf-8" if _is_wide(codec) else codec)
        if is_first and spec.header:
            yield lines[:1], damage[:1]
            lines, damage = lines[1:], damage[1:]
        is_first = False
        if len(lines):
            yield lines, damage


def sound(lines: pa.Array) -> Block:
    """Return lines as a block in which nothing is wrong.

    >>> sound(pa.array(["A|1"]))[1].to_pylist()
    [None]
    """
    return lines, pa.nulls(len(lines), pa.string())


def _is_wide(codec: str) -> bool:
    return codec.startswith(("utf-16", "utf-32"))


def _transcoded(stream: IO[bytes], codec: str, name: str) -> Iterator[bytes]:
    """Yield the file's bytes without a byte-order mark; of wide characters as UTF-8.

    Raises:
        InputError: the bytes start as those of another encoding or of no text; wide characters are damaged.
    """
    if _is_wide(codec):
        decoder = codecs.getincrementaldecoder(codec)()
        try:
            while content := stream.read(BLOCK):
                yield decoder.decode(content).encode("utf-8")
            decoder.decode(b"", final=True)
        except UnicodeError as error:  # one lost byte shifts all wide characters that follow
            raise _encoding_error(name, codec, str(error)) from error
        return
    start = stream.read(BLOCK)
    refuse_signature(name, start)
    for mark, of_mark, words in BYTE_ORDER_MARKS:
        if start.startswith(mark) and _is_wide(of_mark):
            raise _encoding_error(name, codec, words)
    if codec in ("utf-8", "utf-8-sig"):
        start = start.removeprefix(codecs.BOM_UTF8)
    while start:
        yield start
        start = stream.read(BLOCK)


def _encoding_error(name: str, codec: str, found: str) -> InputError:
    return InputError(
        required=f"{name} in the encoding {codec}", found=found, do="name the file's encoding in the mapping"
    )


def _cut(contents: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield the bytes in pieces that each end a line; the last may not."""
    rest = bytearray()
    ended = False
    for content in contents:
        end = content.rfind(b"\n") + 1
        ended = ended or bool(end)
        if end:
            yield bytes(rest) + content[:end]
            rest = bytearray(content[end:])
        else:
            rest += content
        if len(rest) > LONGEST_LINE:
            raise InputError(
                required=f"lines of text in {name}",
                found=f"{len(rest):,} bytes without an end of line",
                do="deliver the file with an end of line after each record",
            )
    if not ended and b"\r" in rest.rstrip(b"\r"):
        raise InputError(
            required=f"lines of {name} that end with a line feed, or carriage return and line feed",
            found="carriage returns alone, as old Macintosh files have",
            do="turn them into line feeds (tr '\\r' '\\n') and deliver the file again",
        )
    if rest:
        yield bytes(rest)


def _block(content: bytes, codec: str) -> Block:
    """Cut bytes into lines, without a Python object for each where all are text."""
    if not content.endswith(b"\n"):
        return _unended(_block(content + b"\n", codec))
    lines, damage = _lines(content, codec)
    if b"\0" not in content:
        return lines, damage
    has_nul = pc.match_substring(lines, "\0")  # which no text holds
    return lines, pc.if_else(has_nul, pa.scalar(ENCODING), damage)


def _lines(content: bytes, codec: str) -> Block:
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        return _line_by_line(content, codec)
    if codec not in ("utf-8", "utf-8-sig"):
        content = text.encode("utf-8")
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n")) + 1
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    whole = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(content))
    return sound(_trimmed(whole))


def _unended(block: Block) -> Block:
    """Mark the last line, unless something else is wrong with it."""
    lines, damage = block
    last = pc.coalesce(damage[-1], pa.scalar(UNENDED))
    return lines, pa.concat_arrays([damage[:-1], pa.array([last.as_py()], pa.string())])


def _line_by_line(content: bytes, codec: str) -> Block:
    lines: list[str] = []
    damage: list[str | None] = []
    for line in content.split(b"\n")[:-1]:
        try:
            lines.append(line.decode(codec))
            damage.append(None)
        except UnicodeDecodeError:
            lines.append(line.decode(codec, errors="backslashreplace"))
            damage.append(ENCODING)
    return _trimmed(pa.array(lines, pa.string())), pa.array(damage, pa.string())


def _trimmed(lines: pa.Array) -> pa.Array:
    return pc.ascii_rtrim(lines, characters="\r\n")
