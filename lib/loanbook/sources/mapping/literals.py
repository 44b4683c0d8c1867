"""The texts that an expression can give by itself: those of its branches, not those it compares with."""

import re
from collections.abc import Callable, Sequence

TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*|/\*.*?\*/)"""
    r"""|(?P<text>'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")"""
    r"""|(?P<other>`[^`]*`|\w+|.)""",
    re.DOTALL,
)
# By function: those of its arguments that its value may be, or that may be taken out of its value.
GIVES: dict[str, Callable[[list[list[str]]], list[list[str]]]] = {
    **dict.fromkeys(("array", "coalesce", "greatest", "ifnull", "least", "nvl"), lambda given: given),
    **dict.fromkeys(("if", "nvl2"), lambda given: given[1:]),
    **dict.fromkeys(("get", "nullif", "try_element_at"), lambda given: given[:1]),
    "map": lambda given: given[1::2],
}


def literal_results(text: str) -> list[str]:
    """Return the texts that stand where the value of an expression comes from, each once.

    What a function makes of a text is not known, and left out.

    >>> literal_results("CASE code WHEN 'A' THEN 'current' ELSE coalesce(status, 'dpd30') END")
    ['current', 'dpd30']
    """
    tokens = [found[0] for found in TOKEN.finditer(text) if found.lastgroup != "skip"]
    return list(dict.fromkeys(_results(tokens)))


def _results(tokens: list[str]) -> list[str]:
    if len(tokens) == 1 and tokens[0][0] in "'\"":
        return [_unquoted(tokens[0])]
    if len(tokens) < 3 or _closing(tokens, 0 if _opens(tokens[0]) else 1) != len(tokens) - 1:
        return []
    first = tokens[0].lower()
    if first == "(":
        parts = [tokens[1:-1]]
    elif first == "case":
        parts = [part for word, part in _parts(tokens[1:-1], ("when", "then", "else")) if word != "when"][1:]
    else:
        given = [part for _, part in _parts(tokens[2:-1], (",",))]
        parts = GIVES[first](given) if first in GIVES else []
    return [result for part in parts for result in _results(part)]


def _opens(sign: str) -> bool:
    return sign.lower() in ("(", "case")


def _closes(sign: str) -> bool:
    return sign.lower() in (")", "end")


def _closing(tokens: Sequence[str], start: int) -> int | None:
    """Return the place of what closes the parenthesis or CASE at ``start``, None where none is there."""
    depth = 0
    for place in range(start, len(tokens)):
        depth += _opens(tokens[place]) - _closes(tokens[place])
        if depth == 0:
            return place if place > start else None
    return None


def _parts(tokens: Sequence[str], dividers: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Return what stands between dividers outside every parenthesis and CASE, each with that before it."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    place = 0
    while place < len(tokens):
        end = (_closing(tokens, place) or place) if _opens(tokens[place]) else place
        if tokens[place].lower() in dividers:
            parts.append((tokens[place].lower(), []))
        else:
            parts[-1][1].extend(tokens[place : end + 1])
        place = end + 1
    return parts


def _unquoted(token: str) -> str:
    sign = token[0]
    return re.sub(r"\\(.)", r"\1", token[1:-1].replace(sign * 2, sign))
