"""All that is found out about one file, and what an ingest would stumble over."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from loanbook.sources.inspect.keys import Key, Months, covered_months, find_keys
from loanbook.sources.inspect.layouts import Known, Match, find_layouts
from loanbook.sources.inspect.profile import Field, profile
from loanbook.sources.inspect.sample import Sample, read_sample
from loanbook.sources.landing.tape_file import TapeFile


@dataclass(frozen=True)
class Findings:
    """One file: its sample, layouts, fields, keys, months and problems."""

    sample: Sample
    layouts: tuple[Match, ...]
    fields: tuple[Field, ...]
    keys: tuple[Key, ...]
    months: tuple[Months, ...]
    problems: tuple[str, ...]

    @property
    def known(self) -> list[Match]:
        """Return the layouts that the file has."""
        return [match for match in self.layouts if match.misfit is None]

    def summary(self) -> dict[str, Any]:
        """Return the findings for the result line."""
        sample, text, dialect = self.sample, self.sample.text, self.sample.dialect
        return {
            "file": sample.file.name,
            "archive": sample.file.path.name if sample.file.member else None,
            "lines": sample.lines,
            "whole_file": sample.is_whole,
            "encoding": text.encoding if text else None,
            "line_ending": text.ending if text else None,
            "delimiter": dialect.delimiter if dialect else None,
            "quote": dialect.quote if dialect else None,
            "header": sample.header is not None,
            "lines_by_fields": dialect.counts if dialect else {len(self.fields): sample.rows},
            "layouts": [
                {"source": m.source, "kind": m.kind, "layout": m.layout, "by": m.by} for m in self.known
            ],
            "keys": [key.fields for key in self.keys if not key.repeated and not key.blank],
            "fields": {
                field.name: " ".join(filter(None, (field.type, field.format))) for field in self.fields
            },
            "problems": self.problems,
        }


def inspect_file(file: TapeFile, limit: int, known: Known) -> Findings:
    r"""Read the first lines of a file and say what they hold.

    Args:
        file: the file.
        limit: how many lines; 0: all.
        known: the layouts to compare it with.

    Raises:
        InputError: it is empty, or neither text nor Parquet.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "feed.csv"
    ...     _ = path.write_text("id,month,dpd\nA,202401,0\nA,202402,30\nB,202401,0\n")
    ...     found = inspect_file(TapeFile(path, path.name), 0, Known((), ()))
    >>> found.keys[0].fields, {field.name: field.type for field in found.fields}
    (('id', 'month'), {'id': 'text', 'month': 'date', 'dpd': 'int'})
    """
    sample = read_sample(file, limit)
    layouts = find_layouts(sample, known)
    fitting = next((match for match in layouts if match.misfit is None), None)
    names = sample.names(list(fitting.fields) if fitting else None)
    fields = tuple(profile(name, column) for name, column in zip(names, sample.columns, strict=True))
    keys = tuple(find_keys(fields, sample.columns, sample.header))
    return Findings(
        sample,
        tuple(layouts),
        fields,
        keys,
        tuple(covered_months(fields, sample.columns, keys)),
        (*_of_the_text(sample), *_of_the_fields(sample), *_of_the_name(layouts)),
    )


def _of_the_text(sample: Sample) -> list[str]:
    if (text := sample.text) is None:
        return []
    found = []
    if text.damage:
        found.append(f"the archive is {text.damage}: only what comes before was read")
    if text.cut_last:
        cut = sample.dialect is not None and sample.dialect.last_width != sample.dialect.width
        found.append(
            f"the last line has no end of line{'; it is cut short' if cut else ', but all of its fields'}"
        )
    if text.ending == r"\r":
        found.append(r"lines end in \r alone: an ingest needs \n or \r\n")
    return found


def _of_the_fields(sample: Sample) -> list[str]:
    if (dialect := sample.dialect) is None:
        return []
    found = []
    usual = dialect.width
    if others := sum(dialect.counts.values()) - dialect.counts[usual]:
        where = "; ".join(f"line {number:,}: {_short(line)}" for number, line in dialect.odd)
        found.append(f"{_many(others, 'line')} without the usual {usual} fields ({where})")
    if dialect.blank_lines:
        found.append(f"{_many(dialect.blank_lines, 'blank line')}, which an ingest rejects")
    if dialect.open_quotes:
        found.append(
            f"{_many(dialect.open_quotes, 'line')} with an open quote: a text with an end of line in it?"
        )
    if dialect.delimiter is None:
        found.append("no delimiter found: one field a line, or fields in fixed places")
    header = Counter(sample.header or ())
    if repeated := [name for name, number in header.items() if name and number > 1]:
        found.append(f"the header repeats {', '.join(repeated)}")
    if header[""]:
        found.append(f"the header leaves {_many(header[''], 'field')} without a name")
    return found


def _of_the_name(layouts: list[Match]) -> list[str]:
    return [f"named as {match.title}, but {match.misfit}" for match in layouts if match.misfit]


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _short(text: str, width: int = 40) -> str:
    return repr(text if len(text) <= width else f"{text[:width]}...")
