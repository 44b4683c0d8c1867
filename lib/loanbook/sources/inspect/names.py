"""Names of fields: those that an expression can hold, and what a name says of its values."""

import re
from collections.abc import Sequence

MONEY = re.compile(
    r"(?i)upb|balance|(^|_)bal($|_)|amount|amt|principal|proceeds|payment|costs?$|limit$|statement$|(^|_)bill$"
)
COUNT = re.compile(r"(?i)months?|days|age|number|count")
# How often a loan was late, over some time, and not how late it is: times_90_days_late, delinq_2yrs.
TIMES = re.compile(
    r"(?i)times?(?=[\d_]|$)|number|count|(^|_)(num|nr|no|cnt)_|\d_?(m|mo|mths?|months?|y|yrs?|years?)($|_)"
)
KEPT = re.compile(r"[^\W_](?:[\w .-]*\w)?")
# Words of Spark SQL that are no names as they stand.
RESERVED = re.compile(
    r"(?i)"
    r"(all|and|any|array|as|between|both|by|case|cast|collate|column|create|cross|cube|"
    r"current_date|current_time|current_timestamp|current_user|date|distinct|div|else|end|"
    r"escape|except|exists|extract|false|fetch|filter|for|foreign|from|full|grant|group|"
    r"grouping|having|if|in|inner|intersect|interval|into|is|join|lateral|leading|left|"
    r"like|limit|map|minus|natural|not|null|of|offset|on|only|or|order|outer|overlaps|"
    r"primary|references|right|rlike|rollup|row|rows|select|semi|session_user|set|some|"
    r"struct|table|then|time|timestamp|to|trailing|true|unbounded|union|unique|unknown|"
    r"user|using|values|when|where|window|with)"
)


def field_names(header: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each column: the header's own where an expression can hold it and no other has it.

    A name that only the case tells from another gets a number, as Spark SQL reads both as one.

    >>> field_names(["", "loan id", "a`b", "Loan ID", "x", "x", "_line"])
    ('field_1', 'loan id', 'a_b', 'Loan ID_2', 'x', 'x_2', 'line')
    """
    names: list[str] = []
    taken = {text.lower() for text in header if KEPT.fullmatch(text)}
    seen: set[str] = set()
    for place, text in enumerate(header, 1):
        own = KEPT.fullmatch(text) is not None
        name = stem = text if own else re.sub(r"\W+", "_", text).strip("_") or f"field_{place}"
        number = 1
        while name.lower() in seen or (not own and name.lower() in taken):
            number += 1
            name = f"{stem}_{number}"
            own = False
        seen.add(name.lower())
        names.append(name)
    return tuple(names)


def quoted(name: str) -> str:
    """Return a field's name as an expression holds it.

    >>> quoted("loan_id"), quoted("loan id"), quoted("Case")
    ('loan_id', '`loan id`', '`Case`')
    """
    plain = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) is not None and RESERVED.fullmatch(name) is None
    return name if plain else f"`{name}`"
