"""The findings of one file as text."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from loanbook.sources.inspect.findings import Findings
from loanbook.sources.inspect.keys import Key, Months
from loanbook.sources.inspect.profile import Field

SHOWN_ROWS = 3
WIDTH = 118  # of a line of the report
CELL = 26  # of a value among the rows shown
NAME = 30
SIGNS = {"\t": "tab", "\x1f": "unit separator (0x1f)", "\x01": "0x01", None: "none found"}
SHOWN_KEYS = 3


def as_text(findings: Findings) -> str:
    """Return the report of one file."""
    sample = findings.sample
    archive = f" in {sample.file.path.name}" if sample.file.member else ""
    facts = [*_dialect(findings), *_meaning(findings)]
    parts = [
        f"== {sample.file.name}{archive}",
        *(_fact(label, line) for label, line in facts),
        "",
        *_table(("", "field", "type", "blank", "distinct", "range", "codes and remarks"),
                list(_field_rows(findings.fields)), right=(0, 3, 4)),
        "",
        *_rows(findings),
    ]  # fmt: skip
    return "".join(f"{line.rstrip()}\n" for line in parts)


def _fact(label: str, line: str) -> str:
    return f"  {label:<10} {line}"


def _dialect(findings: Findings) -> list[tuple[str, str]]:
    sample, text, dialect = findings.sample, findings.sample.text, findings.sample.dialect
    noun = ("row" if sample.parquet else "line") + ("" if sample.lines == 1 else "s")
    read = f"{sample.lines:,} {noun}, the whole file" if sample.is_whole else (
        f"the first {sample.lines:,} {noun}: what follows is not seen (--lines N reads more, 0 all)"
    )  # fmt: skip
    if text and text.damage:
        read = f"{sample.lines:,} {noun}, up to where the archive is cut short or damaged"
    if text is None or dialect is None:
        return [("read", read), ("Parquet", f"{len(findings.fields)} columns, {sample.parquet}")]
    header = "yes" if sample.header else "no"
    return [
        ("read", read),
        ("encoding", text.decided),
        ("lines", f"end in {text.ending}"),
        ("fields", _fields(findings)),
        ("quote", dialect.quote or "none"),
        ("header", f"{header}: {sample.header_by}"),
    ]


def _fields(findings: Findings) -> str:
    dialect = findings.sample.dialect
    if dialect is None or dialect.delimiter is None:
        return "1, no delimiter found"
    between = SIGNS.get(dialect.delimiter, repr(dialect.delimiter))
    if len(dialect.counts) == 1:
        return f"{dialect.width}, {between} between them, in every line"
    total = sum(dialect.counts.values())
    spread = ", ".join(f"{number} in {lines:,}" for number, lines in list(dialect.counts.items())[:6])
    more = f" and {len(dialect.counts) - 6} other numbers" if len(dialect.counts) > 6 else ""
    return (
        f"{dialect.width}, {between} between them, in {_share(dialect.counts[dialect.width] / total)} "
        f"of the lines ({spread}{more})"
    )


def _meaning(findings: Findings) -> list[tuple[str, str]]:
    known = [
        ("layout", f"{match.title}: by {' and by '.join(match.by)}{_reads(match.reads)}")
        for match in findings.known
    ] or [("layout", "none of conf/sources; --write-mapping FILE.yaml starts one")]  # fmt: skip
    rows = findings.sample.rows
    blank = {field.name: field.blank for field in findings.fields}
    months = [
        ("months", f"{each.field}: {_found(each)}")
        for each in findings.months if blank[each.field] <= rows / 2
    ]  # fmt: skip
    problems = [("problem", text) for text in findings.problems]
    return [*known, ("key", _keys(findings.keys, rows)), *months, *problems]


def _found(months: Months) -> str:
    if months.first == months.last:
        return f"{months.first} only"
    found = f"all {months.span}" if months.found == months.span else f"{months.found} of {months.span}"
    return f"{months.first} to {months.last}, {found} months"


def _reads(share: float | None) -> str:
    return "" if share is None else f"; {_share(share)} of the values tried read as its types"


def _share(share: float) -> str:
    """Return a percentage that says 100 only where it is all.

    >>> _share(1.0), _share(0.9999)
    ('100 %', '99.9 %')
    """
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"


def _keys(keys: Sequence[Key], rows: int) -> str:
    if not keys:
        return (
            "none: no field, and no field with a month, tells the rows apart"
            if rows > 1
            else "one row tells none"
        )
    first = keys[0]
    if first.repeated or first.blank:
        blank = f", {first.blank:,} lack it" if first.blank else ""
        repeated = f"{first.repeated:,} of {rows:,} rows repeat an earlier one"
        return f"none; nearest is {_joined(first)}: {repeated}{blank}"
    shown = ", or ".join(_joined(key) for key in keys[:SHOWN_KEYS])
    more = f", and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else ""
    return f"{shown}{more}: unique in " + (
        f"{rows:,} rows" if rows >= 100 else f"{rows} rows, which tell little"
    )


def _joined(key: Key) -> str:
    return " + ".join(key.fields)


def _field_rows(fields: Sequence[Field]) -> Iterator[tuple[str, ...]]:
    """Yield a row a field; one for several empty ones beside each other."""
    number = 1
    for empty, group in groupby(fields, key=lambda field: field.type == "empty" and not field.missing):
        run = list(group)
        if empty and len(run) > 2:
            names = f"{_cut(run[0].name, NAME)} to"
            yield (str(number), names, "empty", "100 %", "0", "", "")
            yield (str(number + len(run) - 1), _cut(run[-1].name, NAME), "empty", "100 %", "0", "", "")
        else:
            yield from ((str(number + k), *_row(field)) for k, field in enumerate(run))
        number += len(run)


def _row(field: Field) -> tuple[str, ...]:
    kind = " ".join(filter(None, (field.type, field.format)))
    blank = _share(field.blank / field.rows) if field.blank else "-"
    return _cut(field.name, NAME), kind, blank, f"{field.distinct:,}", _range(field), _remarks(field)


def _range(field: Field) -> str:
    if not field.low:
        return ""
    if field.type == "text":
        signs = field.low if field.low == field.high else f"{field.low} to {field.high}"
        return f"{signs} sign{'' if signs == '1' else 's'}"
    return field.low if field.low == field.high else f"{field.low} to {field.high}"


def _remarks(field: Field) -> str:
    found = []
    if field.missing:
        found.append(f"missing? {_counted(field.missing)}")
    if field.exceptions:
        found.append(f"not {field.type}: {_counted(field.exceptions)}")
    found += field.notes
    if field.codes:
        found.append(_counted(field.codes, len(field.codes)))
    return "; ".join(found)


def _counted(texts: dict[str, int], most: int = 3) -> str:
    shown = ", ".join(f"{_cut(text, 24)} ({number:,})" for text, number in list(texts.items())[:most])
    return shown + (f" and {len(texts) - most} more" if len(texts) > most else "")


def _cut(text: str, width: int) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= width else f"{plain[: width - 3]}..."


def _rows(findings: Findings) -> list[str]:
    shown = [column.slice(0, SHOWN_ROWS).to_pylist() for column in findings.sample.columns]
    number = min(SHOWN_ROWS, findings.sample.rows)
    titles = ("field", *(f"row {k}" for k in range(1, number + 1)))
    rows = [
        (_cut(field.name, NAME), *(_cut(text or "", CELL) for text in texts))
        for field, texts in zip(findings.fields, shown, strict=True)
        if any(texts)
    ]
    left_out = len(findings.fields) - len(rows)
    return [
        *_table(titles, rows),
        *([f"  ({left_out} fields blank in these rows left out)"] if left_out else []),
    ]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[str]:
    """Return aligned lines; what is too long in the last column goes on below it."""
    widths = [max(len(row[k]) for row in [titles, *rows]) for k in range(len(titles))]
    indent = 2 + sum(width + 2 for width in widths[:-1])
    lines = []
    for row in [titles, *rows]:
        cells = [cell.rjust(width) if k in right else cell.ljust(width)
                 for k, (cell, width) in enumerate(zip(row[:-1], widths, strict=False))]  # fmt: skip
        first, *others = _wrapped(row[-1], max(WIDTH - indent, 30))
        lines += ["  " + "  ".join([*cells, first]), *(" " * indent + other for other in others)]
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
