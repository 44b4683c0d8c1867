"""The first lines of a file as text: how they are encoded, how they end, and whether all was read."""

import codecs
import io
from dataclasses import dataclass
from typing import cast

from loanbook.errors import InputError
from loanbook.sources.landing.signatures import BYTE_ORDER_MARKS, refuse_signature
from loanbook.sources.landing.tape_file import TapeFile

BLOCK = 64 * 1024
BYTES_A_LINE = 640  # where lines are longer on average, the sample ends early: what bounds the memory
LEAST_BYTES = 16 * 1024 * 1024
BINARY = 0.01  # control signs among the first signs, above which it is no text
PLAIN_CONTROLS = "\t\n\r\v\f\x1a\x1c\x1d\x1e\x1f\x01"  # ends of lines and files, and delimiters


@dataclass(frozen=True)
class Text:
    """The lines read, without their endings; ``damage`` says where an archive ends too early."""

    lines: list[str]
    encoding: str
    decided: str
    ending: str
    is_whole: bool
    cut_last: bool
    damage: str | None


def read_text(file: TapeFile, limit: int) -> Text:
    """Read the first ``limit`` lines of a file (0: all of them).

    Raises:
        InputError: it is empty, cannot be opened, or is no text.
    """
    data, is_whole, damage = _read(file, limit)
    refuse_signature(file.name, data)
    if not data:
        raise InputError(
            required=f"lines of data in {file.name}",
            found=f"nothing that can be read: the archive is {damage}" if damage else "an empty file",
            do="deliver the file again",
        )
    encoding, decided = _encoding(data, file.name)
    text = _decoded(data, encoding, is_whole)
    _refuse_binary(text, file.name)
    lines, ending, cut_last = _lines(text)
    if not is_whole:
        lines, cut_last = (lines[:-1] if cut_last else lines), False
    if 0 < limit < len(lines):
        lines, is_whole, cut_last = lines[:limit], False, False
    if not lines:
        raise InputError(
            required=f"lines of text in {file.name}",
            found=f"no end of a line in the first {len(data):,} bytes",
            do="deliver the file with an end of line after each record",
        )
    return Text(lines, encoding, decided, ending, is_whole, cut_last and not damage, damage)


def _read(file: TapeFile, limit: int) -> tuple[bytes, bool, str | None]:
    """Return the bytes of the first lines, whether they are all, and what is wrong with the archive."""
    blocks: list[bytes] = []
    is_whole, damage = True, None
    most_bytes = max(LEAST_BYTES, limit * BYTES_A_LINE)
    left, size = limit, 0
    try:
        with file.open() as opened:
            stream = cast(io.BufferedReader, opened)
            while block := stream.read1(BLOCK):
                blocks.append(block)
                left, size = left - block.count(b"\n"), size + len(block)
                if limit and (left < 0 or size >= most_bytes):
                    is_whole = not stream.read1(1)
                    break
    except InputError as error:
        damage = error.found.removeprefix("one ")
    except (OSError, RuntimeError, NotImplementedError) as error:
        raise InputError(
            required=f"a file {file.name} that can be read", found=str(error),
            do="unpack it, or give the right to read it",
        ) from error  # fmt: skip
    return b"".join(blocks), is_whole and not damage, damage


def _encoding(data: bytes, name: str) -> tuple[str, str]:
    """Return the codec's name, and in words which encoding and by what it was decided."""
    for mark, codec, words in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return codec, words
    start = data[:4096]
    if start.count(0) > len(start) // 4:
        first_is_zero = start[::2].count(0) > start[1::2].count(0)
        codec = "utf-16-be" if first_is_zero else "utf-16-le"
        return codec, f"{codec}, a guess: every other byte is zero and there is no byte-order mark"
    if data.isascii():
        return "utf-8", "utf-8: nothing but ASCII signs in what was read"
    return _eight_bits(data)


def _eight_bits(data: bytes) -> tuple[str, str]:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=False)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        why = f"a guess: byte {data[error.start]:#04x} in line {line:,} is not utf-8"
    else:
        return "utf-8", "utf-8: it holds signs beyond ASCII, and all are valid"
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1", f"latin-1, {why}"
    beyond = any(0x80 <= byte <= 0x9F for byte in set(data)) and not text.isascii()
    return ("cp1252", f"cp1252 (Windows), {why}") if beyond else ("latin-1", f"latin-1, {why}")


def _decoded(data: bytes, encoding: str, is_whole: bool) -> str:
    # A sample may end within a sign; a whole file may too, and then its last sign is shown as replaced.
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    return decoder.decode(data, final=is_whole)


def _refuse_binary(text: str, name: str) -> None:
    start = text[:BLOCK]
    odd = sum(sign < " " and sign not in PLAIN_CONTROLS for sign in start)
    if odd > BINARY * len(start):
        raise InputError(
            required=f"delimited text or Parquet in {name}",
            found=f"binary data: {odd:,} control signs among the first {len(start):,}",
            do="export the data as CSV or Parquet",
        )


def _lines(text: str) -> tuple[list[str], str, bool]:
    """Return the lines, the sign that ends them, and whether the last one has none."""
    windows, feeds, returns = text.count("\r\n"), text.count("\n"), text.count("\r")
    sign = "\n" if feeds or not returns else "\r"
    lines = text.split(sign)
    cut_last = lines[-1] not in ("", "\x1a")
    if not cut_last:
        lines.pop()
    if windows:
        lines = [line.removesuffix("\r") for line in lines]
    if sign == "\r":
        return lines, r"\r", cut_last
    if 0 < windows < feeds:
        return lines, rf"mixed: {windows:,} \r\n and {feeds - windows:,} \n", cut_last
    return lines, r"\r\n" if windows else r"\n", cut_last
