"""One field's profile: blanks, type, range, codes, and values that probably mean missing."""

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from loanbook.sources.inspect.types import MISSING_WORDS, OTHER_DATES, Kind, iso_date, kind_of

FEW = 20  # distinct values that are listed as codes
NINES = re.compile(r"-?9+(\.0*)?|0*9+")
CODES = re.compile(r"-?(9+[5-9]|9{2,}|8{2,}|7{2,})(\.0*)?")  # 96 and 98 for two kinds of no answer
MOST_CODES = 4
LEAST_OTHERS = 3  # distinct values, from which those far from them stand out
FAR_DATE = r"^(?:9999.?12.?31|9999.?12|31.12.9999|12.31.9999|12.?9999|0001.?01.?01|01.01.0001)$"
REPEATED = 0.001  # share of the rows that repeat a lone far value before it counts as a sentinel
FAR = 5  # times the range of the other values
THOUSANDS = r"^[+-]?[1-9]\d{0,2}\.\d{3}$"
LONGEST_INT = 2**31 - 1

Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Field:
    """What the rows say of one field.

    Args:
        blank: rows without a value.
        low: least value as text, sentinels left out; of texts the least length.
        high: greatest.
        codes: the distinct values with their rows, where they are few and repeated.
        exceptions: texts that are not of the field's type, with their rows.
        missing: texts that probably mean missing, with their rows.
        decimals: the most digits after the point, of numbers.
    """

    name: str
    rows: int
    blank: int
    distinct: int
    type: str
    format: str | None
    low: str
    high: str
    codes: dict[str, int]
    exceptions: dict[str, int]
    missing: dict[str, int]
    notes: tuple[str, ...]
    decimals: int = 0

    @property
    def is_date(self) -> bool:
        """Return whether the field holds dates."""
        return self.type == "date"

    @property
    def is_unique(self) -> bool:
        """Return whether every row has its own value."""
        return self.blank == 0 and self.distinct == self.rows and self.rows > 1


def profile(name: str, column: pa.ChunkedArray) -> Field:
    """Return the profile of a field.

    Args:
        name: of the field.
        column: its texts, null where blank.

    A value of nines far beyond the others probably means missing, and is no part of the range:

    >>> field = profile("dti", pa.chunked_array([["31", "35", "40", "999", None]]))
    >>> field.type, field.low, field.high, field.missing, field.blank
    ('int', '31', '40', {'999': 1}, 1)
    """
    counted = pc.value_counts(column.drop_null())
    texts, counts = pc.struct_field(counted, [0]), pc.struct_field(counted, [1])
    words = pc.is_in(pc.utf8_lower(texts), pa.array(sorted(MISSING_WORDS)))
    missing, texts, counts = _without(texts, counts, words)
    far, near, number = _without(texts, counts, pc.match_substring_regex(texts, FAR_DATE))
    kind = kind_of(near, number)
    if far and kind.type == "date":
        missing, texts, counts = missing | far, near, number
    else:
        kind = kind_of(texts, counts)
    exceptions = _top(texts, counts, pc.invert(kind.fits))
    fitting, number = pc.filter(texts, kind.fits), pc.filter(counts, kind.fits)
    low, high, sentinels = _range(kind, fitting, number)
    return Field(
        name, len(column), column.null_count, len(counted), kind.type, kind.format, low, high,
        _codes(kind, texts, counts), exceptions, missing | sentinels,
        (*([kind.note] if kind.note else []), *_notes(kind, fitting)), _decimals(kind, fitting),
    )  # fmt: skip


def _decimals(kind: Kind, texts: pa.StringArray) -> int:
    if kind.type != "number" or not len(texts):
        return 0
    after = pc.replace_substring_regex(texts, r"^[^.]*\.?|[eE].*$", "")
    return int(pc.max(pc.utf8_length(after)).as_py())


def _without(
    texts: pa.StringArray, counts: pa.Int64Array, left_out: pa.BooleanArray
) -> tuple[dict[str, int], pa.StringArray, pa.Int64Array]:
    """Return the texts left out with their counts, then the others and theirs."""
    kept = pc.invert(left_out)
    return _top(texts, counts, left_out), pc.filter(texts, kept), pc.filter(counts, kept)


def _top(texts: pa.StringArray, counts: pa.Int64Array, chosen: pa.BooleanArray) -> dict[str, int]:
    """Return the chosen texts with their counts, the most frequent first."""
    pairs = zip(pc.filter(texts, chosen).to_pylist(), pc.filter(counts, chosen).to_pylist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: -pair[1]))


def _codes(kind: Kind, texts: pa.StringArray, counts: pa.Int64Array) -> dict[str, int]:
    """Return the distinct texts with their counts where they are few and repeated, as codes are."""
    rows = pc.sum(counts).as_py() or 0
    if kind.type in ("number", "date") or len(texts) > FEW or len(texts) * 2 > max(rows, 2):
        return {}
    return _top(texts, counts, pa.array([True] * len(texts), pa.bool_()))


def _range(kind: Kind, texts: pa.StringArray, counts: pa.Int64Array) -> tuple[str, str, dict[str, int]]:
    """Return the least and greatest value, sentinels apart, and the sentinels."""
    if not len(texts):
        return "", "", {}
    if kind.format in OTHER_DATES or kind.type == "date":
        dates = sorted(iso_date(text, str(kind.format)) for text in texts.to_pylist())
        return dates[0], dates[-1], {}
    if kind.type == "text":
        lengths = pc.min_max(pc.utf8_length(texts)).as_py()
        return str(lengths["min"]), str(lengths["max"]), {}
    values = pc.cast(texts, pa.float64()).to_numpy()
    order = np.argsort(values)
    texts, counts, values = (
        texts.take(pa.array(order)),
        counts.take(pa.array(order)).to_numpy(),
        values[order],
    )
    least, most = _ends(texts, counts, values)
    sentinels = {texts[k].as_py(): int(counts[k]) for k in (*range(least), *range(most, len(values)))}
    kept = values[least:most] if most > least else values
    return _number(kept[0]), _number(kept[-1]), sentinels


def _ends(texts: pa.StringArray, counts: Numbers, values: Numbers) -> tuple[int, int]:
    """Return where the sorted values begin and end once a sentinel at either end is left out."""
    low, high = 0, len(values)
    if high == 1:
        lone = re.fullmatch(r"-?9{3,}(\.0*)?", texts[0].as_py())
        return (0, 0) if lone else (0, 1)
    if number := _codes_at_the_end(texts, counts, values):
        high -= number
    elif _is_sentinel(
        texts[high - 1].as_py(), values[high - 1] - values[high - 2], values[:-1], counts[-1], counts.sum()
    ):
        high -= 1
    if high > 1 and _is_sentinel(
        texts[0].as_py(), values[1] - values[0], values[1:high], counts[0], counts.sum()
    ):
        low = 1
    return low, high


def _codes_at_the_end(texts: pa.StringArray, counts: Numbers, values: Numbers) -> int:
    """Return how many of the greatest values look like codes, are repeated, and lie far from the others."""
    for number in range(min(MOST_CODES, len(values) - LEAST_OTHERS), 0, -1):
        codes, others = texts[-number:].to_pylist(), values[:-number]
        repeated = counts[-number:].sum() >= max(REPEATED * counts.sum(), 3)
        far = values[-number] - others[-1] > max(others[-1] - others[0], 1)
        if repeated and far and all(CODES.fullmatch(code) for code in codes):
            return number
    return 0


def _is_sentinel(text: str, gap: float, others: Numbers, count: int, rows: int) -> bool:
    spread = others[-1] - others[0]
    if NINES.fullmatch(text):
        return bool(gap > max(spread, 1))
    return bool(len(others) > FEW and gap > FAR * spread and count >= max(REPEATED * rows, 3))


def _number(value: float) -> str:
    return f"{int(value)}" if math.isfinite(value) and value == int(value) else f"{value:.10g}"


def _notes(kind: Kind, texts: pa.StringArray) -> list[str]:
    if not len(texts):
        return []
    if kind.type == "number" and pc.all(pc.match_substring_regex(texts, THOUSANDS)).as_py():
        return ["three decimals throughout: 1.250 may be a thousand and more"]
    if kind.type != "int":
        return []
    notes = []
    if pc.any(pc.match_substring_regex(texts, r"^[+-]?\d+\.0*$")).as_py():
        notes.append("whole numbers written as 360.0")
    if pc.any(pc.match_substring_regex(texts, r"^0\d")).as_py():
        notes.append("leading zeros: a code, or padded")
    return notes
