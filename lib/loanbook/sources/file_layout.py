"""Which of its spec's layouts a file has: by its header, else by the number of fields of its lines."""

from collections import Counter
from collections.abc import Iterable

from loanbook.sources.file_spec import FieldType, FileSpec


def by_header(spec: FileSpec, header: Iterable[str]) -> dict[str, FieldType]:
    """Return the first layout whose fields are all in a header, else the first."""
    names = set(header)
    return next((fields for fields in spec.field_sets if names >= set(fields)), spec.field_sets[0])


def by_width(spec: FileSpec, lines: Iterable[str], delimiter: str, quote: str | None) -> dict[str, FieldType]:
    """Return the layout as wide as most of the lines, so that an odd one does not decide; else the first."""
    widths = Counter(number_of_fields(line, delimiter, quote) for line in lines)
    usual = max(widths, key=lambda width: widths[width])
    return next((fields for fields in spec.field_sets if len(fields) == usual), spec.field_sets[0])


def number_of_fields(line: str, delimiter: str, quote: str | None) -> int:
    """Return the number of fields of a line; a delimiter between quote signs divides nothing.

    >>> number_of_fields('1,"a, b",c', ",", '"')
    3
    """
    if quote is None or quote not in line:
        return line.count(delimiter) + 1
    return 1 + sum(part.count(delimiter) for part in line.split(quote)[::2])
