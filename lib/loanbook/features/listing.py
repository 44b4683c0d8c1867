"""``loanbook list-features``: the catalogue as a table, a validator's page, CSV or JSON, without a JVM."""

import argparse
from typing import Any

from loanbook.errors import InputError
from loanbook.features.catalogue import FEATURES, catalogue_id, themes
from loanbook.features.feature import Feature
from loanbook.output import say
from loanbook.scoring.answers import FORMATS
from loanbook.scoring.duckdb_views import Answer

IN_TABLE = ("name", "theme", "type", "unit", "range", "known", "expected_sign", "roll_forward")
KNOWN = {
    "origination": "at origination, as first reported",
    "report": "with the report of the month, or the last one before it",
    "publication": "when the series' month is published, by its lag and in the revision known then",
}
EFFECTS = {"+": "raises it", "-": "lowers it", "?": "none expected"}
ROLL_FORWARD = {
    "static": "stays",
    "deterministic": "moves with the calendar and the contract",
    "macro": "follows the macro path",
    "path": "follows the projected states",
}


def list_features(options: argparse.Namespace) -> dict[str, Any]:
    """Print the catalogue, or the features of one theme.

    Raises:
        InputError: there is no such theme.
    """
    if options.theme not in (None, *themes()):
        raise InputError(
            required=f"--theme with one of {', '.join(themes())}",
            found=repr(options.theme),
            do="name one of them",
        )
    chosen = [item for item in FEATURES if options.theme in (None, item.theme)]
    say(
        page(chosen)
        if options.format == "markdown"
        else FORMATS[options.format](_answer(chosen, options.format))
    )
    return {
        "job": "list_features", "status": "done", "features": len(chosen), "catalogue_id": catalogue_id(),
    }  # fmt: skip


def range_of(item: Feature) -> str:
    """Return a feature's range in words, such as ``0 to 12``, ``0 and more``, or nothing for a text.

    >>> from loanbook.features.catalogue import feature
    >>> range_of(feature("months_30plus_12m")), range_of(feature("upb")), range_of(feature("state"))
    ('0 to 12', '0 and more', '')
    """
    if item.kind != "numeric":
        return ""
    low, high = ("" if bound is None else f"{bound:g}" for bound in (item.low, item.high))
    return f"{low} to {high}" if low and high else f"{low} and more" if low else "any"


def _answer(items: list[Feature], form: str) -> Answer:
    entries = [{**item.entry(), "range": range_of(item)} for item in items]
    names = list(IN_TABLE) if form == "table" else list(entries[0])
    return Answer(names, [tuple(entry[name] for name in names) for entry in entries])


def page(items: list[Feature]) -> str:
    """Return the catalogue as Markdown: what each feature means, and what a validator asks of it."""
    parts = [f"# Features (catalogue {catalogue_id()})\n"]
    for theme in dict.fromkeys(item.theme for item in items):
        parts.append(f"## {theme.replace('_', ' ').capitalize()}\n")
        parts += [_entry(item) for item in items if item.theme == theme]
    return "\n".join(parts)


def _entry(item: Feature) -> str:
    facts = {
        "Type, unit": f"{item.type}, {item.unit}" + (f"; {range_of(item)}" if range_of(item) else ""),
        "Known": KNOWN[item.known],
        "Expected effect on the PD": EFFECTS[item.expected_sign],
        "Reason": f"{item.reason_code}, {item.reason_text}" + ("; actionable" if item.actionable else ""),
        "In a projection": ROLL_FORWARD[item.roll_forward],
        "Input by default": "yes" if item.default_input else "no",
    }
    return f"### `{item.name}`\n\n{item.description}.\n\n" + "".join(
        f"- {name}: {text}\n" for name, text in facts.items()
    )
