"""What a field's texts are: whole numbers, numbers, dates in some format, or text."""

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

YEAR, MONTH, DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
DATES = (
    "yyyyMM", "MMyyyy", "yyyyMMdd", "yyyy-MM-dd", "yyyy-MM", "yyyy/MM/dd", "yyyy/MM", "MM/yyyy",
    "MM-yyyy", "MM/dd/yyyy", "dd/MM/yyyy", "dd.MM.yyyy", "MM-dd-yyyy", "dd-MM-yyyy",
)  # fmt: skip
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAMED_MONTH = f"(?i)(?:{'|'.join(MONTH_NAMES)})"
# Recognised and shown, although a mapping's field of type date cannot read them.
OTHER_DATES = {
    "MMM-yyyy": f"^{NAMED_MONTH}-{YEAR}$",
    "yyyy-MM-dd HH:mm:ss": rf"^{YEAR}-{MONTH}-{DAY}[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?$",
}
NUMBERS = {
    "int": r"^[+-]?\d{1,18}(?:\.0?)?$",  # 360.0 too, but 360.00 is an amount
    "number": r"^[+-]?(?:\d{1,18}(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?$",
}
ODD_NUMBERS = {
    "numbers with a comma, of decimals or of thousands": r"^[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?$",
    "numbers with thousands separators": r"^[+-]?[$]?\d{1,3}(?:,\d{3})*(?:\.\d+)?$",
    "numbers with a percent sign": r"^[+-]?\d+(?:\.\d+)? ?%$",
    "numbers with a currency sign": r"^[+-]?[$£€] ?\d+(?:\.\d+)?$",
}
MISSING_WORDS = {"na", "n/a", "nan", "null", "none", "nil", "\\n", ".", "-", "?", "#n/a", "missing"}
MOSTLY = 0.98  # share of the values, above which the others are exceptions
FIRST = 50  # distinct values that are tried first: they rule out most types


@dataclass(frozen=True)
class Kind:
    """A type, a date's format, and which of the distinct texts are of it."""

    type: str
    format: str | None
    fits: pa.BooleanArray
    note: str | None = None


def date_regex(form: str) -> str:
    """Return the regular expression of a format in fixed places.

    >>> bool(re.search(date_regex("MM/yyyy"), "08/2037"))
    True
    """
    pattern = re.escape(form).replace("yyyy", YEAR).replace("MM", MONTH).replace("dd", DAY)
    return f"^{pattern}$"


def kind_of(texts: pa.StringArray, counts: pa.Int64Array) -> Kind:
    """Return the kind of a field from its distinct texts, blanks and missing words left out.

    Args:
        texts: distinct.
        counts: rows of each.

    A few odd values do not decide: ``MOSTLY`` of the rows do.

    >>> kind_of(pa.array(["202401", "202402"]), pa.array([60, 40])).format
    'yyyyMM'
    >>> kind = kind_of(pa.array(["1", "2.5", "new"]), pa.array([60, 39, 1]))
    >>> kind.type, kind.fits.to_pylist()
    ('number', [True, True, False])
    """
    total = pc.sum(counts).as_py() or 0
    every = pa.array([True] * len(texts), pa.bool_())
    if not total:
        return Kind("empty", None, every)
    for form in DATES:
        if (fits := _fits(texts, counts, date_regex(form), total)) is not None:
            return _settled(texts, counts, form, fits, total)
    for form, regex in OTHER_DATES.items():
        if (fits := _fits(texts, counts, regex, total)) is not None:
            return Kind(
                "date", form, fits, f"dates {form}: a mapping reads them as text, an expression as dates"
            )
    if (numbers := _fits(texts, counts, NUMBERS["number"], total)) is not None:
        whole = pc.match_substring_regex(texts, NUMBERS["int"])
        return Kind("int" if whole.equals(numbers) else "number", None, numbers)
    for note, regex in ODD_NUMBERS.items():
        if _fits(texts, counts, regex, total) is not None:
            form = "money, with decimal and thousands" if "thousands" in note else "text"
            return Kind("text", None, every, f"{note}: a mapping reads them as {form}")
    return Kind("text", None, every)


def _fits(texts: pa.StringArray, counts: pa.Int64Array, regex: str, total: int) -> pa.BooleanArray | None:
    """Return which texts match, or None where too few do."""
    if len(texts) > 4 * FIRST and pc.sum(pc.match_substring_regex(texts[:FIRST], regex)).as_py() < FIRST // 2:
        return None
    fits = pc.match_substring_regex(texts, regex)
    matched = pc.sum(pc.filter(counts, fits)).as_py() or 0
    return fits if matched >= MOSTLY * total else None


def _settled(
    texts: pa.StringArray, counts: pa.Int64Array, form: str, fits: pa.BooleanArray, total: int
) -> Kind:
    """Return the date's kind, with day and month told apart where both formats fit."""
    swapped = form.replace("MM", "?").replace("dd", "MM").replace("?", "dd")
    if swapped == form or swapped not in DATES or "dd" not in form or not form.startswith("MM"):
        return Kind("date", form, fits)
    if _fits(texts, counts, date_regex(swapped), total) is None:
        return Kind("date", form, fits)
    first, second = (len(set(pc.utf8_slice_codeunits(texts, k, k + 2).to_pylist())) for k in (0, 3))
    if first == second:
        return Kind("date", form, fits, f"{form} or {swapped}: no value tells which")
    # Monthly data repeat one day, or few of them, and many months.
    return Kind("date", form if second < first else swapped, fits)


def iso_date(text: str, form: str) -> str:
    """Return yyyy-MM or yyyy-MM-dd of a date written in ``form``.

    >>> iso_date("08/2037", "MM/yyyy"), iso_date("Dec-2011", "MMM-yyyy")
    ('2037-08', '2011-12')
    """
    if form == "MMM-yyyy":
        return f"{text[4:8]}-{MONTH_NAMES.index(text[:3].lower()) + 1:02d}"
    parts = [text[form.index(sign) :][: len(sign)] for sign in ("yyyy", "MM", "dd") if sign in form]
    return "-".join(parts)


def date_months(texts: pa.Array, form: str) -> set[int]:
    """Return the months of the texts that are dates in ``form``, as year * 12 + month.

    >>> sorted(date_months(pa.array(["31/12/2023", "01/01/2024", "n/a"]), "dd/MM/yyyy"))
    [24288, 24289]
    """
    regex = OTHER_DATES.get(form) or date_regex(form)
    dates = (
        iso_date(text, form) for text in texts.filter(pc.match_substring_regex(texts, regex)).to_pylist()
    )
    return {int(date[:4]) * 12 + int(date[5:7]) for date in dates}
