"""Which layouts of ``conf/sources`` a file has: by its name, its header, or its number of fields."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from loanbook.errors import InputError
from loanbook.settings.files import conf_folder
from loanbook.sources.inspect.sample import Sample
from loanbook.sources.inspect.types import NUMBERS, date_regex
from loanbook.sources.mapping.file_spec import FieldType, FileSpec
from loanbook.sources.mapping.macro_mapping import MacroMapping
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.sources.mapping.mapping_files import load_mapping

READS = 0.95  # share of values that read as the layout's types, below which a number of fields proves nothing
ROWS = 5000  # that are tried
WHOLE = r"^[+-]?\d{1,10}(?:\.0*)?$"  # an ingest reads 360.00 as 360


@dataclass(frozen=True)
class Match:
    """A layout that a file has or nearly has.

    Args:
        layout: its number, from 1, among the ``layouts`` of its spec.
        by: what told it: file name, header, number of fields.
        reads: share of the values that read as the layout's types; None where all are texts.
        misfit: why the file, named as one of this layout, does not have it; None where it has.
    """

    source: str
    kind: str
    layout: int
    layouts: int
    by: tuple[str, ...]
    reads: float | None
    fields: dict[str, FieldType]
    misfit: str | None = None

    @property
    def title(self) -> str:
        """Return the source and kind, and which of several layouts.

        >>> Match("fannie_mae", "performance", 2, 3, ("file name",), 1.0, {}).title
        'fannie_mae, performance (layout 2 of 3)'
        """
        which = f" (layout {self.layout} of {self.layouts})" if self.layouts > 1 else ""
        return f"{self.source}, {self.kind}{which}"


@dataclass(frozen=True)
class Known:
    """The mappings of ``conf/sources``, and what is wrong with those that do not load."""

    specs: tuple[tuple[str, FileSpec], ...]
    broken: tuple[str, ...]


def known_layouts() -> Known:
    """Load every mapping of ``conf/sources``; those that do not load are named, and stop nothing."""
    specs: list[tuple[str, FileSpec]] = []
    broken: list[str] = []
    for path in sorted((conf_folder() / "sources").glob("*.yaml")):
        try:
            specs += [(path.stem, spec) for spec in _specs(path.stem)]
        except InputError as error:
            broken.append(f"{path.name}: {error.found}")
    return Known(tuple(specs), tuple(broken))


def _specs(source: str) -> Sequence[FileSpec]:
    try:
        return load_mapping(TapeMapping, source).files
    except InputError:
        try:
            return load_mapping(MacroMapping, source).files
        except InputError:
            return load_mapping(TapeMapping, source).files  # says what is wrong, as of a tape


def find_layouts(sample: Sample, known: Known) -> list[Match]:
    """Return the layouts that the file has or nearly has, the surest first.

    Surer is what fits, by more signs (name, header, number of fields), with more values that read as the
    layout's types. One that is named by the file's name and does not fit comes last, with its misfit.
    """
    found = [match for source, spec in known.specs for match in _matches(sample, source, spec)]
    return sorted(found, key=lambda match: (match.misfit is not None, -len(match.by), -(match.reads or 0)))


def _matches(sample: Sample, source: str, spec: FileSpec) -> Iterator[Match]:
    named = re.fullmatch(spec.pattern, sample.file.name) is not None
    sets = spec.field_sets
    found = False
    for number, fields in enumerate(sets, 1):
        by, misfit = _fit(sample, spec, fields)
        reads = None if misfit else _reads(sample, fields)
        sure = named or "header" in by or (reads is not None and reads >= READS)
        if by and not misfit and sure:
            found = True
            ways = (*(["file name"] if named else []), *by)
            yield Match(source, spec.kind, number, len(sets), ways, reads, fields)
    if named and not found:
        misfits = [_fit(sample, spec, fields)[1] for fields in sets]
        why = (
            "; ".join(dict.fromkeys(text for text in misfits if text))
            or "its values do not read as its types"
        )
        yield Match(source, spec.kind, 1, len(sets), ("file name",), None, sets[0], why)


def _fit(
    sample: Sample, spec: FileSpec, fields: Mapping[str, FieldType]
) -> tuple[tuple[str, ...], str | None]:
    """Return by what the sample has these fields, or why it does not."""
    by_header = spec.header or sample.parquet is not None
    if sample.header is not None and not by_header:
        return (), f"the file has a header, the layout has none ({len(fields)} fields)"
    if by_header:
        if sample.header is None:
            return (), "the layout has a header, the file has none"
        called = [field.in_header(name) for name, field in fields.items()]
        lacking = [name for name in called if name not in sample.header]
        return (("header",), None) if not lacking else ((), f"the header lacks {', '.join(lacking)}")
    delimiter = sample.dialect.delimiter if sample.dialect else None
    if len(sample.columns) != len(fields):
        return (), f"the file has {len(sample.columns)} fields, the layout {len(fields)}"
    if delimiter != spec.delimiter:
        return (), f"the file is divided by {delimiter!r}, the layout by {spec.delimiter!r}"
    return ("number of fields",), None


def _reads(sample: Sample, fields: Mapping[str, FieldType]) -> float | None:
    """Return the share of the given values that read as the layout's types; None where it has only texts."""
    names = list(sample.header or fields)
    given = read = 0
    for name, field in fields.items():
        if field.type == "text":
            continue
        place = names.index(field.in_header(name) if sample.header else name)
        texts = sample.columns[place].slice(0, ROWS).drop_null()
        if field.missing:
            texts = texts.filter(pc.invert(pc.is_in(texts, pa.array(field.missing))))
        given += len(texts)
        read += pc.sum(pc.match_substring_regex(texts, _regex(field))).as_py() or 0
    return read / given if given else None


def _regex(field: FieldType) -> str:
    if field.type == "date":
        return date_regex(field.format)
    return WHOLE if field.type == "int" else NUMBERS["number"]
