"""Texts that Spark would turn into numbers or dates by itself: one that is none would fail the whole job.

``days > 30`` over a text field ``days`` is such a case: Spark casts the text, and in ANSI mode the value
``n/a`` of one line then stops the ingest. The cast is found in Spark's own plan, before any row is read.
"""

import re
from collections.abc import Iterator, Sequence

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

AT_ONCE = 20  # expressions planned together: Spark leaves out what follows the 25th item of a list
ROW = "_row"  # the struct of all fields in the frame that expressions are planned on
CALL = re.compile(r"(?<!\w)(cast|tryeval)\(")
TARGET = re.compile(r" as ([\w(),<>:]+)$")
PLAN_PARTS = re.compile(r"^== (.*) ==$", re.MULTILINE)


def implicit_cast(frame: DataFrame, expressions: Sequence[str]) -> tuple[str, str] | None:
    """Return a text that an expression makes Spark cast, and the type; None where there is no such cast.

    What an expression is replaced by (``BETWEEN`` by two comparisons) counts; a cast below a ``try_`` form
    gives null and does not. Not seen is a text within a lambda function, from a window,
    or after the 25th argument of a call.

    Args:
        frame: has the fields that the expression reads; its rows are not read.
        expressions: Spark SQL, known to be understood on ``frame``.
    """
    for start in range(0, len(expressions), AT_ONCE):
        for inner, target in _casts(_planned(frame, expressions[start : start + AT_ONCE])):
            text = re.sub(rf"\b{ROW}#\d+\.", "", inner)
            text = re.sub(r"#\d+L?\b", "", text)
            if target != "string" and _is_text(frame, text):
                return text, target
    return None


def _planned(frame: DataFrame, expressions: Sequence[str]) -> str:
    """Return the optimised plan of expressions as text, without the line of the fields' origin."""
    spark = frame.sparkSession
    # The planner cannot know the values of uuid(), so it leaves every expression as it is.
    row = spark.range(1).select(F.from_json(F.expr("uuid()"), frame.schema).alias(ROW)).select(f"{ROW}.*")
    # Each on lines of its own: an expression may end with a comment.
    values = "\n, ".join(expression.replace("{", "{{").replace("}", "}}") for expression in expressions)
    plan = spark.sql(f"EXPLAIN EXTENDED SELECT {values}\nFROM {{row}}", row=row).collect()[0][0]
    parts = PLAN_PARTS.split(plan)
    optimised = dict(zip(parts[1::2], parts[2::2], strict=True))["Optimized Logical Plan"]
    return "\n".join(line for line in optimised.splitlines() if "from_json" not in line)


def _casts(plan: str) -> Iterator[tuple[str, str]]:
    """Yield what is cast, and the type, of every cast in a plan that could fail, the innermost too.

    >>> list(_casts("((cast(a#1 as bigint) > 5) AND tryeval((cast(b#2 as double) / 2.0)))"))
    [('a#1', 'bigint')]
    """
    place = 0
    while found := CALL.search(plan, place):
        inner = plan[found.end() : end_of_call(plan, found.end()) - 1]
        target = TARGET.search(inner)
        if found[1] == "cast" and target:
            yield inner[: target.start()], target[1]
        place = found.end() + (len(inner) if found[1] == "tryeval" else 0)


def end_of_call(code: str, start: int) -> int:
    """Return the place after the parenthesis that closes a call whose arguments start at ``start``.

    >>> end_of_call("f(a, (b)) + c", 2)
    9
    """
    depth = 1
    for place in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if depth == 0:
            return place + 1
    return len(code)


def _is_text(frame: DataFrame, expression: str) -> bool:
    """Return whether an expression, as a plan writes it, is known to give a text."""
    types = dict(frame.dtypes)
    if expression in types:
        return types[expression] == "string"
    try:
        return frame.select(F.expr(expression)).dtypes[0][1] == "string"
    except (AnalysisException, ParseException):
        return False
