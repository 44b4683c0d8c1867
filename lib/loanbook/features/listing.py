"""``loanbook list-features``: the catalogue as a table, a validator's page, CSV or JSON, without a JVM."""

import argparse
from typing import Any

from loanbook.errors import InputError
from loanbook.features.catalogue.feature import Feature
from loanbook.features.catalogue.registry import FEATURES, catalogue_id, themes
from loanbook.output import say
from loanbook.sql.answers import FORMATS
from loanbook.sql.duckdb import Answer

IN_TABLE = ("name", "theme", "type", "unit", "range", "known", "expected_sign", "roll_forward")
KNOWN = {
    "origination": "at origination, as last delivered",
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


ABOUT = """\
Each row of the table `features` is a loan in the book at a month end, of a quarterly tape at the end of a
quarter. A loan is in the book from its
first report to the month before its exit, reported or not, until it has not been reported for longer than
`book.stale_months`; what a month without a report lacks is taken from the last report before it, and
`reported` and `months_since_report` say so.

- **No look-ahead.** A month's values are made from reports up to that month, the loan's terms, counts of
  other loans in the months before, and macro values published by its end, both in the revision known then.
  The months are taken in their order: a row reads the state that the months up to its own have left, and
  nothing else of the loan's history.
- **Corrections.** With `features.knowledge: latest` a corrected report restates the loan's rows from its
  month on; with `as_known` a month's rows are what was known when it was first reported, and stay.
- **Windows are calendar windows.** Twelve months are twelve calendar months, however many of them were
  reported; a missing month is missing, not paid, and `months_observed_*` count the reported ones.
- **Histories begin with the tape.** What is counted since origination is counted since the loan's first
  report, which may come later: `observed_since_months` says how long ago that was.
- **Missing** is null, never zero. A feature whose inputs a tape lacks is null in every row; of a history
  rebuilt from its final status, behaviour is null and the row has the flag `rebuilt_history`.
- **The tape's own attributes** with the role `input` are in `numeric_inputs`, `categorical_inputs` and
  `text_inputs`: those of the loan's terms, and of those that change with the month the value last known.
  Of a text a model reads the first `train.text_tokens` of its words that are among the
  `train.max_text_words` most frequent ones of the training loans: a network the mean of their learned
  embeddings, the logistic regression the share of each word.
- **Arithmetic.** Sums are of whole cents and of 1/100,000 percentage points, and divide last, so that
  neither the order of rows nor the number of workers changes a value, and a month added gives what a
  rebuild gives.
"""
THEMES = {
    "delinquency": "How late the loan is and has been. Severity counts 0 for current and inactive, "
    "1 for `dpd30`, 2 for `dpd60`, 3 for `dpd90`, 4 for foreclosure, 5 for REO.",
    "loan_terms": "Contract, borrower and property at origination, and what the calendar makes of them.",
    "balance": "How much of the loan is left, how that moves, and how it is paid. Utilisation and limits are "
    "of revolving accounts, the schedule and its payments of instalment loans.",
    "macro": "The economy as known at the month's end, of the loan's region where it has the series, else "
    "of the nation.",
    "neighbourhood": "Default and prepayment rates around the loan, of the 12 months before this one as they "
    "were counted by then, the loan itself left out: (events of the cell + weight x rate of the source) / "
    "(loan-months at risk in the cell + weight), a year, with `features.neighbourhood_weight`. A correction "
    "gives the counts a revision, known from then on, and restates no month.",
    "history": "The last year month by month, for sequence models; no input of the others.",
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

    >>> from loanbook.features.catalogue.registry import feature
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
    parts = [f"# Features (catalogue {catalogue_id()})\n", ABOUT]
    for theme in dict.fromkeys(item.theme for item in items):
        parts.append(f"## {theme.replace('_', ' ').capitalize()}\n\n{THEMES[theme]}\n")
        parts += [_entry(item) for item in items if item.theme == theme]
    return "\n".join(parts)


def _entry(item: Feature) -> str:
    facts = {
        "Type, unit": f"`{item.type}`, {item.unit}" + (f"; {range_of(item)}" if range_of(item) else ""),
        "Known": KNOWN[item.known],
        "Expected effect on the PD": EFFECTS[item.expected_sign],
        "Reason": f"{item.reason_code}, {item.reason_text}" + ("; actionable" if item.actionable else ""),
        "In a projection": ROLL_FORWARD[item.roll_forward],
        "Input by default": "yes" if item.default_input else "no",
    }
    return f"### `{item.name}`\n\n{item.description}.\n\n" + "".join(
        f"- {name}: {text}\n" for name, text in facts.items()
    )
