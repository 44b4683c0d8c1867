"""Spark SQL expressions of a mapping: refused before anything runs where they could fail a job."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError
from loanbook.sources.mapping.implicit_casts import end_of_call, implicit_cast

# ANSI mode fails the whole job on one bad value; the try_ form gives null, which a check can then count.
SAFE_FORMS = {
    **dict.fromkeys(
        ("cast", "bigint", "boolean", "date", "decimal", "double", "float", "int", "string", "timestamp"),
        "try_cast(... as ...)",
    ),
    "to_date": "try_cast(... as date), or a field of type date with its format",
    "to_timestamp": "try_to_timestamp(...)",
    "to_number": "try_to_number(...)",
    "element_at": "try_element_at(...), or get(...) of an array",
    "mod": "try_mod(..., ...)",
}
DIVISIONS = {"/": "try_divide(..., ...)", "%": "try_mod(..., ...)", "div": "try_divide(..., ...)"}
DIVISION = re.compile(r"[/%]|\bdiv\b", re.IGNORECASE)
CONSTANT = re.compile(r"\s*(\d+(?:\.\d*)?|\.\d+)(?![\w.(])")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Of one row, always the same for the same row, and null (not an error) where a value is out of range.
FUNCTIONS = _names("""
    abs add_months array array_compact array_contains array_distinct array_except array_intersect array_join
    array_max array_min array_position array_remove array_sort array_union bround btrim ceil ceiling
    char_length coalesce concat concat_ws contains date_add date_diff date_format date_sub date_trunc datediff
    day dayofmonth dayofweek dayofyear endswith equal_null exists exp filter find_in_set flatten floor forall
    from_json get get_json_object greatest if ifnull initcap instr isnan isnotnull isnull last_day lcase least
    left length levenshtein like ln locate log log10 log1p log2 lower lpad ltrim map map_concat map_entries
    map_filter map_from_arrays map_from_entries map_keys map_values md5 month months_between named_struct
    nanvl negative nullif nvl nvl2 overlay position positive pow power quarter regexp_count regexp_extract
    regexp_extract_all regexp_instr regexp_like regexp_replace regexp_substr repeat replace reverse right rint
    rlike round rpad rtrim sequence sha2 sign signum size slice sort_array split split_part sqrt startswith
    str_to_map struct substr substring substring_index transform translate trim trunc try_add try_cast
    try_divide try_element_at try_mod try_multiply try_subtract try_to_number try_to_timestamp ucase upper
    weekday weekofyear width_bucket xxhash64 year zip_with
""")
WINDOW_FUNCTIONS = _names("""
    avg count count_if dense_rank first first_value lag last last_value lead max max_by min min_by nth_value
    rank row_number sum
""")
OPERATORS = _names("and as between by case else end filter in like not on or over rlike then when")
TYPES = _names("char decimal numeric varchar")  # whose arguments look like a call

NO_CODE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
SUBQUERY = re.compile(r"\bselect\b|\(\s*(?:table|values|from|with)\b", re.IGNORECASE)
OF_THE_RUN = re.compile(
    r"\b(?:current_(?:date|time|timestamp|timezone|user|catalog|schema|database)|localtimestamp)\b",
    re.IGNORECASE,
)
OVER = re.compile(r"\bover\s*\(", re.IGNORECASE)
IN_ORDER = re.compile(r"\border\s+by\s+\w+(?:\s+asc)?\s*(?:\)|\brows\b|\brange\b)", re.IGNORECASE)
CALL = re.compile(r"\b([A-Za-z_]\w*)\s*\(")


def _refuse_unsafe(text: str) -> str:
    """Return the text of an expression.

    Raises:
        ValueError: it holds a subquery, a function that a mapping may not use, or one that could fail a job.
    """
    code = _without_texts(text)
    if SUBQUERY.search(code):
        raise ValueError("a subquery: a mapping's expression may read the fields of its own line only")
    if found := OF_THE_RUN.search(code):
        raise ValueError(f"{found[0]} is not the same in every run: use what the line itself says")
    if re.search(r"[\w)\]]\s*\[", code):
        raise ValueError(
            "[...] fails a job where there is no such place: write get(array, place), from 0, or "
            "try_element_at(map, key)"
        )
    if "::" in code:
        raise ValueError(f"'::' fails a job on one bad value: write {SAFE_FORMS['cast']}")
    for found in DIVISION.finditer(code):
        divisor = CONSTANT.match(code, found.end())
        if divisor is None or not float(divisor[1]):
            operator = found[0].lower()
            raise ValueError(
                f"{operator!r} fails a job on one bad value: write {DIVISIONS[operator]}, or divide by a "
                "number other than 0"
            )
    for call in CALL.finditer(code):
        _refuse_function(call[1].lower(), code, call.end())
    return text


def _refuse_function(name: str, code: str, start: int) -> None:
    if name in FUNCTIONS or name in OPERATORS or (name in TYPES and _is_type(code, start - 1)):
        return
    if name in WINDOW_FUNCTIONS:
        if re.match(r"\s*over\b", code[end_of_call(code, start) :], re.IGNORECASE):
            return
        raise ValueError(f"{name}(...) makes one row of many: give it a window, OVER (PARTITION BY ...)")
    if name in SAFE_FORMS:
        raise ValueError(f"{name}(...) fails a job on one bad value: write {SAFE_FORMS[name]}")
    near = difflib.get_close_matches(name, FUNCTIONS | WINDOW_FUNCTIONS, n=3)
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise ValueError(
        f"the function {name} is not among those that a mapping may use (of one row, always the same for the "
        f"same row, null for a bad value){hint}"
    )


def scope_of(text: str) -> Literal["row", "lookback", "whole_tape"]:
    """Return what an expression reads: its row, rows before it as well, or rows after it too.

    A window looks back where it is ordered by one plain field, which must be the month's.

    >>> scope_of("days < 0"), scope_of("lag(days) OVER (PARTITION BY id ORDER BY month) > days")
    ('row', 'lookback')
    >>> scope_of("max(days) OVER (PARTITION BY id) > 90"), scope_of("lag(x, -1) OVER (ORDER BY month)")
    ('whole_tape', 'whole_tape')
    """
    code = _without_texts(text)
    windows = [code[found.end() : end_of_call(code, found.end())] for found in OVER.finditer(code)]
    if not windows:
        return "row"
    reads_on = re.search(r"\blead\s*\(|\blag\s*\([^)]*,\s*-", code, re.IGNORECASE)
    ordered = all(IN_ORDER.search(window) for window in windows)
    turned = any(re.search(r"\b(?:following|desc)\b", window, re.IGNORECASE) for window in windows)
    return "lookback" if ordered and not turned and not reads_on else "whole_tape"


def fields_read(text: str, names: Iterable[str]) -> list[str]:
    """Return the names, of those given, that an expression reads; of a struct also ``name.part``.

    >>> fields_read("CASE WHEN `a b` = 'days' AND row.n > 1 THEN Code END",
    ...             ["a b", "days", "row.n", "code"])
    ['a b', 'row.n', 'code']
    """
    code = NO_CODE.sub(lambda found: found[0][1:-1] if found[0].startswith("`") else "''", text)
    return [
        name
        for name in names
        if re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)(?!\s*\()", code, re.IGNORECASE)
    ]


def _without_texts(text: str) -> str:
    """Return an expression with every text empty, every quoted name an ``x``, and no comment."""
    return NO_CODE.sub(lambda found: "x" if found[0].startswith("`") else "''", text)


def _is_type(code: str, parenthesis: int) -> bool:
    """Return whether the name before a parenthesis is a type: ``try_cast(x AS decimal(16,2))``."""
    return re.search(r"\bas\s+\w+\s*$", code[:parenthesis], re.IGNORECASE) is not None


Expression = Annotated[str, AfterValidator(_refuse_unsafe)]


def assert_valid(
    frame: DataFrame, expressions: Mapping[str, str], what: str, lines: Mapping[str, str] | None = None
) -> None:
    """Check that Spark understands every expression, and that none fails a job on a bad text.

    Args:
        frame: has the columns.
        expressions: key in the mapping to expression.
        what: the file that the frame stands for, in words.
        lines: key to line of the mapping's file.

    Raises:
        InputError: names the first key whose expression it does not, or which does, its line, and why.
    """
    if _problem(frame, list(expressions.values())) is None:
        return
    for key, text in expressions.items():
        if problem := _problem(frame, [text]):
            line = (lines or {}).get(key)
            raise InputError(
                required=f"a Spark SQL expression over the fields of {what} at {key!r}"
                + ("" if line is None else f", line {line}"),
                found=f"{text!r}: {problem}",
                do="correct the expression in the mapping",
            )


def _problem(frame: DataFrame, expressions: list[str]) -> str | None:
    try:
        frame.select(*(F.expr(text) for text in expressions)).schema  # noqa: B018 - analyses the expressions
    except (AnalysisException, ParseException) as error:
        return " ".join(str(error).split("\n== SQL")[0].split(";")[0].split())
    if found := implicit_cast(frame, expressions):
        text, target = found
        return (
            f"the text {text} is used as {target}, which fails a job on one bad value: give the field that "
            f"type, or write try_cast({text} as {target})"
        )
    return None
