"""Which column of a file each field of the mapping is: by its place, or by the header."""

from collections.abc import Sequence

from loanbook.errors import InputError
from loanbook.sources.landing.landing import Landed


def required_fields(file: Landed) -> int:
    """Return the number of fields that a line of ``file`` must have: of its header, else of its layout."""
    return len(file.header or file.fields)


def required_layouts(file: Landed) -> str:
    """Return the numbers of fields that a line of ``file`` may have, in words."""
    if file.header:
        return str(len(file.header))
    return " or ".join(str(len(fields)) for fields in file.spec.field_sets)


def columns_left_out(files: Sequence[Landed]) -> dict[str, list[str]]:
    """Return, by kind of file, the columns of headers that the mapping does not read.

    One whose name occurs again, or is empty, is told with its place, from 1.

    >>> from loanbook.sources.mapping.file_spec import FileSpec
    >>> spec = FileSpec(kind="loans", pattern=".*", header=True, fields={"id": "text"})
    >>> header = ("id", "fee", "fee", "")
    >>> file = Landed("shop", spec, spec.fields, "a.csv", "all", None, "0af1", header, ",", None, 3, ())
    >>> columns_left_out([file])
    {'loans': [' (4)', 'fee (2)', 'fee (3)']}
    """
    found: dict[str, set[str]] = {}
    for file in files:
        read = set(positions(file).values())
        left = {
            f"{name} ({place + 1})" if names.count(name) > 1 or not name else name
            for names in (file.header or (),)
            for place, name in enumerate(names)
            if place not in read
        }
        found.setdefault(file.spec.what, set()).update(left)
    return {kind: sorted(names) for kind, names in found.items() if names}


def positions(file: Landed) -> dict[str, int]:
    """Return the place of each field's column, from 0.

    Args:
        file: with a header, by which a field is found by its name; without one, fields go by their order.

    Raises:
        InputError: the header lacks one, or has it twice and the mapping does not say which.

    >>> from loanbook.sources.mapping.file_spec import FileSpec
    >>> spec = FileSpec(kind="loans", pattern=".*", header=True, fields={"id": "text", "upb": "money"})
    >>> header = ("upb", "branch", "id")
    >>> file = Landed("shop", spec, spec.fields, "a.csv", "all", None, "0af1", header, ",", None, 3, ())
    >>> positions(file)
    {'id': 2, 'upb': 0}
    """
    if file.header is None:
        return {name: place for place, name in enumerate(file.fields)}
    names = file.header
    wanted = {name: field.in_header(name) for name, field in file.fields.items()}
    if missing := [name or "without a name" for name in wanted.values() if name not in names]:
        raise InputError(
            required=f"the columns {', '.join(missing)} in {file.name}",
            found=f"a header with {', '.join(names)}",
            do="deliver the file with these columns, or correct the mapping's delimiter and fields",
        )
    return {name: _position(file, names, wanted[name], file.fields[name].position) for name in file.fields}


def _position(file: Landed, names: Sequence[str], name: str, given: int | None) -> int:
    """Return the place of a field, from 0.

    Raises:
        InputError: the header has its name at several, and the mapping names none of them.
    """
    places = [place for place, other in enumerate(names, 1) if other == name]
    if given in places:
        return given - 1
    if given is not None or len(places) > 1:
        shown = ", ".join(map(str, places))
        raise InputError(
            required=f"one column {name} in {file.name}, or the place of the one to read",
            found=f"it at {shown} of {len(names)}" + ("" if given is None else f", and position: {given}"),
            do=f"say which in the mapping, such as {name}: {{type: ..., position: {places[-1]}}}, or have it "
            "named differently",
        )
    return places[0] - 1
