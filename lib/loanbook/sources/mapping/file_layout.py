"""How a file's lines are cut into fields, and which of its spec's layouts they have."""

import csv
from collections import Counter
from collections.abc import Callable, Iterable

from loanbook.sources.mapping.file_spec import FieldType, FileSpec

LONGEST_FIELD = 2**31 - 1  # what the csv module accepts, in place of its 128 KiB

Cut = Callable[[str], list[str]]


def cutter(delimiter: str | None, quote: str | None) -> Cut:
    """Return the function that cuts a line into its fields.

    A field that begins with the quote sign ends with it; what it holds between is no delimiter, and two signs
    are one. A sign within a field that does not begin with it is part of its text.

    Args:
        delimiter: None: the line is one field.
        quote: None: no field is quoted.

    >>> cutter(",", "~")("1,~a, ~~b~~~,5~ pipe")
    ['1', 'a, ~b~', '5~ pipe']
    """
    if delimiter is None:
        return lambda line: [line]
    if quote is None:
        return lambda line: line.split(delimiter)
    csv.field_size_limit(LONGEST_FIELD)

    def cut(line: str) -> list[str]:
        if quote not in line:
            return line.split(delimiter)
        try:
            return next(csv.reader([line], delimiter=delimiter, quotechar=quote), [""])
        except csv.Error:  # a carriage return within the line
            return line.split(delimiter)

    return cut


def by_header(spec: FileSpec, header: Iterable[str]) -> dict[str, FieldType]:
    """Return the first layout whose fields are all in a header, else the first.

    >>> layouts = ({"id": "text"}, {"id": "text", "upb": "money"})
    >>> spec = FileSpec(kind="loans", pattern=".*", header=True, layouts=layouts[::-1])
    >>> list(by_header(spec, ["id", "rate"])), list(by_header(spec, ["rate", "upb", "id"]))
    (['id'], ['id', 'upb'])
    """
    names = set(header)

    def fits(fields: dict[str, FieldType]) -> bool:
        return names >= {field.in_header(name) for name, field in fields.items()}

    return next((fields for fields in spec.field_sets if fits(fields)), spec.field_sets[0])


def by_width(spec: FileSpec, lines: Iterable[str], delimiter: str, quote: str | None) -> dict[str, FieldType]:
    """Return the layout as wide as most of the lines, so that an odd line does not decide; else the first.

    >>> spec = FileSpec(kind="loans", pattern=".*", layouts=({"id": "text"}, {"id": "text", "upb": "money"}))
    >>> list(by_width(spec, ["A|1", "B|2", "trailer"], "|", None))
    ['id', 'upb']
    """
    cut = cutter(delimiter, quote)
    widths = Counter(len(cut(line)) for line in lines)
    usual = max(widths, key=lambda width: widths[width])
    return next((fields for fields in spec.field_sets if len(fields) == usual), spec.field_sets[0])
