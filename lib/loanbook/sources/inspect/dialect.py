"""What divides the fields of a line, by how evenly it does; and whether the first line names them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from loanbook.sources.mapping.file_layout import Cut, cutter

DELIMITERS = ("|", "\t", ";", ",", "^", "~", "\x1f", "\x01")
SAMPLE = 2000  # lines that decide
EVEN = 0.9  # share of lines with the same number of fields, from which a sign divides them
DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
VALUE = re.compile(r"[+-]?[$]?[\d.,/: -]*\d[\d.,/: -]*%?")
ODD_LINES = 3


@dataclass(frozen=True)
class Dialect:
    """How the lines of a file are cut into fields.

    Args:
        delimiter: None where no sign divides the lines.
        quote: None where no field is quoted.
        counts: number of lines by their number of fields, the most frequent first.
        odd: number and text of the first lines without the usual number of fields.
        open_quotes: lines with an odd number of quote signs.
        last_width: number of fields of the last line: fewer than usual where the file was cut short.
    """

    delimiter: str | None
    quote: str | None
    counts: dict[int, int]
    odd: tuple[tuple[int, str], ...] = ()
    blank_lines: int = 0
    open_quotes: int = 0
    last_width: int = 0

    @property
    def cut(self) -> Cut:
        """Return the function that cuts a line into its fields."""
        return cutter(self.delimiter, self.quote)

    @property
    def width(self) -> int:
        """Return the number of fields that most lines have.

        >>> Dialect(",", None, {3: 98, 4: 2}).width
        3
        """
        return max(self.counts, key=lambda number: self.counts[number])


@dataclass
class _Seen:
    counts: Counter[int] = field(default_factory=Counter)
    blank: int = 0
    open_quotes: int = 0


def find_dialect(lines: Sequence[str]) -> Dialect:
    """Return the delimiter and quote sign of the lines, and how many fields the lines have.

    Where both divide evenly, a semicolon wins over commas that all stand between digits: they are decimal
    signs.

    >>> find_dialect(["id;rate", "1;0,5", "2;1,5"]).delimiter
    ';'
    >>> dialect = find_dialect(['1,"a, b",2', "2,c,3", "3,d"])
    >>> dialect.delimiter, dialect.quote, dialect.counts, dialect.odd
    (',', '"', {3: 2, 2: 1}, ((3, '3,d'),))
    """
    sample = [line for line in lines[:SAMPLE] if line.strip()]
    delimiter = _delimiter(sample)
    quote = _quote(sample, delimiter or ",")
    seen = _Seen()
    cut = cutter(delimiter, quote)
    widths = [_count(line, cut, quote, seen) for line in lines]
    counts = dict(seen.counts.most_common()) or {1: 0}
    usual = next(iter(counts))
    odd = [(number, line) for number, (line, width) in enumerate(zip(lines, widths, strict=True), 1)
           if width not in (0, usual)]  # fmt: skip
    return Dialect(delimiter, quote, counts, tuple(odd[:ODD_LINES]), seen.blank, seen.open_quotes, widths[-1])


def _count(line: str, cut: Cut, quote: str | None, seen: _Seen) -> int:
    if not line.strip():
        seen.blank += 1
        return 0
    width = len(cut(line))
    seen.open_quotes += bool(quote and quote in line and line.count(quote) % 2)
    seen.counts[width] += 1
    return width


def _delimiter(lines: Sequence[str]) -> str | None:
    """Return the sign that divides the lines most evenly, into the most fields; None if none does."""
    judged = {sign: _evenness(lines, sign) for sign in DELIMITERS}
    able = [sign for sign, (share, width) in judged.items() if share >= EVEN and width > 1]
    if ";" in able and "," in able and all(DECIMAL_COMMA.sub("", line).count(",") == 0 for line in lines):
        able.remove(",")
    if able:
        return max(able, key=lambda sign: (_begins(lines, sign, judged[sign][1]), judged[sign][1]))
    # Nothing is even: the sign that divides most lines, so that the report can show how they differ.
    best = max(DELIMITERS, key=lambda sign: sum(sign in line for line in lines))
    return best if sum(best in line for line in lines) > len(lines) / 2 else None


def _evenness(lines: Sequence[str], sign: str) -> tuple[float, int]:
    cut = cutter(sign, '"')
    widths = Counter(len(cut(line)) for line in lines)
    width, number = widths.most_common(1)[0] if widths else (1, 1)
    return number / max(len(lines), 1), width


def _begins(lines: Sequence[str], sign: str, width: int) -> bool:
    return len(cutter(sign, '"')(lines[0])) == width


def _quote(lines: Sequence[str], delimiter: str) -> str | None:
    for sign, least in (('"', 1), ("'", len(lines) / 2)):
        edge = re.escape(delimiter)
        whole = re.compile(f"(?:^|{edge}){sign}(?:[^{sign}]|{sign}{sign})*{sign}(?=$|{edge})")
        if sum(sign in line and whole.search(line) is not None for line in lines) >= max(least, 1):
            return sign
    return None


def has_header(first: Sequence[str], others: Sequence[Sequence[str]]) -> tuple[bool, str]:
    """Return whether the first line names the fields, and by what that was decided.

    Args:
        first: fields of the first line.
        others: fields of the lines below it.

    >>> has_header(["id", "month"], [["7", "202401"], ["8", "202401"]])
    (True, '2 of its 2 texts stand above numbers or dates')
    >>> has_header(["7", "202312"], [["8", "202401"]])
    (False, "line 1 holds values such as '7'")
    """
    names = [text.strip() for text in first]
    if numbers := [text for text in names if VALUE.fullmatch(text)]:
        return False, f"line 1 holds values such as {numbers[0]!r}"
    given = [name for name in names if name]
    if not given or len(set(given)) < len(given) / 2 or len(given) < len(names) / 2:
        return False, "line 1 is blank in most fields, or repeats itself"
    columns = [[row[k].strip() for row in others if k < len(row)] for k in range(len(names))]
    above = sum(bool(names[k]) and _mostly_values(column) for k, column in enumerate(columns))
    if above:
        return True, f"{above} of its {len(names)} texts stand above numbers or dates"
    repeated = [name for name, column in zip(names, columns, strict=True) if name and name in column]
    if repeated or not others:
        return (
            False,
            f"{repeated[0]!r} of line 1 occurs again below" if repeated else "there is one line only",
        )
    return True, "a guess: all is text, and no text of line 1 occurs again below it"


def _mostly_values(texts: Sequence[str]) -> bool:
    given = [text for text in texts if text]
    return bool(given) and sum(VALUE.fullmatch(text) is not None for text in given) >= EVEN * len(given)
