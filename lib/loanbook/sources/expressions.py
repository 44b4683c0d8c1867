"""Spark SQL expressions of a mapping: refused before anything runs where they could fail a job."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator
from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from loanbook.errors import InputError

# ANSI mode fails the whole job on one bad value; the try_ form gives null, which a check can then count.
UNSAFE = {
    r"(?<!try_)\bcast\s*\(": "try_cast(... as ...)",
    r"::": "try_cast(... as ...)",
    r"(?<!try_)\bto_date\s*\(": "try_to_date(...)",
    r"(?<!try_)\bto_timestamp\s*\(": "try_to_timestamp(...)",
    r"(?<!try_)\bto_number\s*\(": "try_to_number(...)",
    r"/": "try_divide(..., ...)",
}


def _refuse_unsafe(text: str) -> str:
    bare = re.sub(r"'[^']*'", "''", text)
    for pattern, safe in UNSAFE.items():
        if found := re.search(pattern, bare, re.IGNORECASE):
            raise ValueError(f"{found.group().strip()!r} fails a job on one bad value: write {safe}")
    return text


Expression = Annotated[str, AfterValidator(_refuse_unsafe)]


def assert_valid(frame: DataFrame, expressions: Mapping[str, str], what: str) -> None:
    """Check that Spark understands every expression on ``frame``'s columns.

    Raises:
        InputError: names the first key whose expression it does not, and why.
    """
    if _problem(frame, list(expressions.values())) is None:
        return
    for key, text in expressions.items():
        if problem := _problem(frame, [text]):
            raise InputError(
                required=f"a Spark SQL expression over the fields of {what} at {key!r}",
                found=f"{text!r}: {problem}",
                do="correct the expression in the mapping",
            )


def _problem(frame: DataFrame, expressions: list[str]) -> str | None:
    try:
        frame.select(*(F.expr(text) for text in expressions)).schema  # noqa: B018 - analyses the expressions
    except (AnalysisException, ParseException) as error:
        return " ".join(str(error).split("\n== SQL")[0].split(";")[0].split())
    return None
