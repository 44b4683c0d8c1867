"""A mapping to begin with, written from the findings: it loads, and marks what a person must decide."""

import json
import re
from collections.abc import Sequence

from loanbook.errors import InputError
from loanbook.sources.inspect.findings import Findings
from loanbook.sources.inspect.guesses import Guess, guess_columns, is_performance
from loanbook.sources.inspect.names import COUNT, MONEY, quoted
from loanbook.sources.inspect.profile import LONGEST_INT, Field
from loanbook.sources.inspect.types import DATES

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
MONEY_DECIMALS = 2
READ_ALL = ("utf-8", "utf-8-sig")  # what a mapping reads unless it names another encoding


def starter_mapping(found: Sequence[Findings], stem: str) -> str:
    """Return the YAML of a mapping for the files: of performance and, where there are two kinds, of loans.

    Args:
        found: of one or more files.
        stem: of the mapping's file, which gives its name.

    Raises:
        InputError: the files are of more than two kinds.
    """
    performance, loans = _by_kind(found)
    name = re.sub(r"[^a-z0-9_]+", "_", stem.lower()).strip("_")
    name = name if re.match("[a-z]", name) else f"tape_{name}"
    files = [part for each, kind in ((loans, "loans"), (performance, "performance")) if each
             for part in _file(each, kind)]  # fmt: skip
    names = dict.fromkeys(each.sample.file.name for each in found)
    lines = [
        f"# A mapping begun by inspect-tape from {', '.join(names)}.",
        f"# {_loads(performance)} Its guesses are to be edited: see every TODO and every '# guessed'.",
        *(f"# {match.title} of conf/sources has this layout already." for match in performance.known[:1]),
        f"name: {_key(name)}",
        "product: personal          # TODO: mortgage, card or personal",
        "period_months: 1           # TODO: 3 for a tape of quarters",
        "known_lag_months: 0        # TODO: months after a reporting month until the tape shows it",
        *(
            ["slices: months            # a file is one month of all loans, by its name"]
            if _monthly(performance)
            else []
        ),
        "",
        "files:",
        *files,
        *_loans(loans or performance, of_performance=loans is None),
        *_performance(guess_columns(performance)),
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _by_kind(found: Sequence[Findings]) -> tuple[Findings, Findings | None]:
    """Return the performance file and the loans file, each the first of its name's pattern."""
    first: dict[str, Findings] = {}
    for findings in found:
        first.setdefault(name_pattern(findings.sample.file.name), findings)
    if len(first) > 2:
        raise InputError(
            required="files of at most two kinds for --write-mapping, one of performance and one of loans",
            found=f"{len(first)} kinds: {', '.join(first)}", do="name one file of each kind",
        )  # fmt: skip
    performance, *others = sorted(first.values(), key=lambda each: not is_performance(each))
    return performance, others[0] if others else None


def name_pattern(name: str) -> str:
    r"""Return the regular expression of a file's name with its digits generalised.

    >>> name_pattern("feed_202401.csv"), name_pattern("Acquisition_2007Q3.txt")
    ('feed_\\d{6}\\.csv', 'Acquisition_\\d{4}Q\\d\\.txt')
    """

    def digits(match: re.Match[str]) -> str:
        return r"\d" if len(match.group()) == 1 else rf"\d{{{len(match.group())}}}"

    return "".join(re.sub(r"\d+", digits, part) if part[:1].isdigit() else re.escape(part).replace(r"\-", "-")
                   for part in re.split(r"(\d+)", name))  # fmt: skip


def _slice(name: str) -> tuple[str, str] | None:
    """Return the pattern of the slice in a name, and what it is, if the name shows one."""
    for regex, pattern, what in (
        (r"(?<!\d)(19|20)\d\d(0[1-9]|1[0-2])(?!\d)", r"(?<!\d)(\d{6})(?!\d)", "months"),
        (r"(?<!\d)(19|20)\d\d-(0[1-9]|1[0-2])(?!\d)", r"(\d{4}-\d\d)", "months"),
        (r"(?<!\d)(19|20)\d\dQ[1-4](?!\d)", r"(\d{4}Q\d)", "vintage quarters"),
    ):
        if re.search(regex, name):
            return pattern, what
    return None


def _monthly(findings: Findings) -> bool:
    found = _slice(findings.sample.file.name)
    return found is not None and found[1] == "months"


def _file(findings: Findings, kind: str) -> list[str]:
    sample, dialect, text = findings.sample, findings.sample.dialect, findings.sample.text
    lines = [f"  - kind: {kind}", f"    pattern: {_single(name_pattern(sample.file.name))}"]
    if found := _slice(sample.file.name):
        lines.append(f"    slice: {_single(found[0])}   # guessed: {found[1]}")
    if dialect and dialect.delimiter not in (None, ","):
        lines.append(f"    delimiter: {json.dumps(dialect.delimiter)}")
    if dialect and dialect.quote:
        lines.append(f"    quote: {json.dumps(dialect.quote)}")
    if dialect and sample.header:
        lines.append("    header: true")
    if text and text.encoding not in READ_ALL:
        lines.append(f"    encoding: {text.encoding}   # {text.decided}")
    loan = guess_columns(findings).loan_id
    header = sample.header or ()
    fields = [_field(field, loan, header, place) for place, field in enumerate(findings.fields, 1)]
    return [*lines, "    fields:", *(f"      {line}" for line in fields)]


def _field(field: Field, loan: str, header: Sequence[str], place: int) -> str:
    """Return the line of a field: its name, type, the texts that mean missing, and its column's odd name."""
    name = _key(field.name)
    kind, remarks = ("text", []) if quoted(field.name) == loan else _type(field)
    words = list(field.missing)
    content = {"type": kind}
    if kind == "date":
        content["format"] = str(field.format)
    flow = [f"{key}: {value}" for key, value in content.items()]
    if header and header[place - 1] != field.name:
        flow.append(f"column: {json.dumps(header[place - 1], ensure_ascii=False)}")
    if header.count(header[place - 1] if header else "") > 1:
        flow.append(f"position: {place}")
    if words:
        flow.append(f"missing: {json.dumps(words, ensure_ascii=False)}")
        remarks.append("guessed: these mean missing")
    value = f"{{{', '.join(flow)}}}" if len(flow) > 1 else kind
    return f"{name}: {value}" + (f"   # {'; '.join(remarks)}" if remarks else "")


def _key(name: str) -> str:
    """Return a name as YAML takes it for a text.

    >>> _key("loan_id"), _key("no"), _key("loan id")
    ('loan_id', '"no"', '"loan id"')
    """
    plain = NAME.fullmatch(name) is not None and name.lower() not in YAML_WORDS
    return name if plain else json.dumps(name, ensure_ascii=False)


def _type(field: Field) -> tuple[str, list[str]]:
    """Return the mapping's type of a field, text where others would reject values, and remarks."""
    if field.type == "empty":
        return "text", ["blank in every row read"]
    if field.type == "date":
        return (
            ("date", list(field.notes))
            if field.format in DATES and not field.exceptions
            else ("text", _why(field))
        )
    if field.type == "text" or field.exceptions:
        return "text", _why(field)
    if field.type == "int":
        if any(note.startswith("leading zeros") for note in field.notes):
            return "text", list(field.notes)
        if max(abs(float(field.low)), abs(float(field.high))) > LONGEST_INT:
            return "text", ["whole numbers too long for an int"]
    if MONEY.search(field.name) and not field.codes and not COUNT.search(field.name):
        if field.decimals > MONEY_DECIMALS:
            return "double", [*field.notes, f"TODO: money of {field.decimals} decimals? see docs/mapping.md"]
        return "money", []
    return ("int" if field.type == "int" else "double"), []


def _why(field: Field) -> list[str]:
    shown = ", ".join(list(field.exceptions)[:3])
    return [*field.notes, *([f"{field.type} but for {shown}"] if shown else [])]


def _loads(performance: Findings) -> str:
    """Return whether an ingest takes the mapping unedited, in words."""
    if performance.sample.header_line > 1:
        return (
            f"Before it loads, the lines above the header in line {performance.sample.header_line} must go."
        )
    if "NULL" in " ".join(guess_columns(performance).state):
        return "It publishes nothing while a code has no state (NULL)."
    return "It loads as it is."


def _loans(findings: Findings, *, of_performance: bool) -> list[str]:
    guess = guess_columns(findings)
    return [
        "",
        "loans:                     # TODO: add terms, such as original_upb, credit_score, dti, ltv",
        *(["  of: performance          # the terms of a loan's first month"] if of_performance else []),
        "  columns:",
        f"    loan_id: {_single(guess.loan_id)}   # {guess.loan_id_by}",
    ]


def _performance(guess: Guess) -> list[str]:
    return [
        "",
        "performance:               # Spark SQL over the fields; TODO: add upb, rate, remaining_term;",
        "                           # of revolving accounts payment, statement, credit_limit",
        "  columns:",
        f"    loan_id: {_single(guess.loan_id)}   # {guess.loan_id_by}",
        f"    as_of_date: {_single(guess.as_of_date)}   # {guess.as_of_date_by}",
        f"    # {guess.state_by}",
        "    # States: current, dpd30, dpd60, dpd90, foreclosure, reo, inactive; at the end prepaid,",
        "    # matured, liquidated, removed. NULL is no state: such lines are rejected, and while",
        "    # a code has none an ingest of it publishes nothing.",
        "    state: >-",
        *(f"      {line}" for line in guess.state),
    ]


def _single(text: str) -> str:
    """Return a YAML text in single quotes.

    >>> _single("date'2024-01-31'")
    "'date''2024-01-31'''"
    """
    return "'" + text.replace("'", "''") + "'"
