"""Which fields are probably the loan, the month and the state: guesses, for a person to edit."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loanbook.sources.inspect.findings import Findings
from loanbook.sources.inspect.keys import may_identify
from loanbook.sources.inspect.names import TIMES, quoted
from loanbook.sources.inspect.profile import FEW, Field
from loanbook.sources.inspect.types import DATES

LOAN = re.compile(
    r"(?i)(loan|account|acct|contract|facility|sequence).*(id|num|no|nr|key)|^(id|loan|account)$|_id$|id$"
)
MONTH = re.compile(r"(?i)report|as_?of|period|month|snapshot|observation|(^|_)(date|ym|dt)$")
STATE = re.compile(r"(?i)delinq|dpd|past_?due|arrears|days|status|state$")
REGION = re.compile(r"(?i)property|addr|region|marital|foreclos")
UNDECIDED = "NULL /* TODO */"  # no state: its lines are rejected
DAYS = 130  # a count that reaches this counts days past due, not months


@dataclass(frozen=True)
class Guess:
    """Expressions of the three columns that a mapping must have, and by what each was guessed."""

    loan_id: str
    loan_id_by: str
    as_of_date: str
    as_of_date_by: str
    state: tuple[str, ...]
    state_by: str


def is_performance(findings: Findings) -> bool:
    """Return whether the rows look like months of loans, and not like loans.

    They do where it takes a second field, a month, to tell them apart, or where nothing does.
    """
    panel = any(len(key.fields) == 2 for key in findings.keys)
    return panel or not findings.keys


def guess_columns(findings: Findings) -> Guess:
    """Return guesses of the loan, the month and the state among the fields.

    Each comes with the words by which a person can judge it: the key, a name, or a TODO.
    """
    keys = next(iter(findings.keys), None)
    key = keys.fields if keys else ()
    loan = key[0] if key else _named(findings.fields, LOAN)
    if named := _named((field for field in findings.fields if field.is_unique), LOAN):
        loan = named
    month = (
        next((field for field in findings.fields if field.name == key[-1:][0]), None)
        if len(key) == 2
        else None
    )
    if month is None:
        dates = [field for field in findings.fields if field.is_date]
        month = next((f for f in dates if MONTH.search(f.name)), dates[0] if dates else None)
    as_of, as_of_by = _month(month)
    state = next((f for f in findings.fields if STATE.search(f.name) and not REGION.search(f.name)
                  and not TIMES.search(f.name)
                  and f.type in ("int", "text") and f.name not in key), None)  # fmt: skip
    states, state_by = _state(state)
    loan_by = (
        f"guessed: {'the key' if loan in key else 'by its name'}" if loan else "TODO: the field of the loan"
    )
    return Guess(quoted(loan or _first_of(findings.fields).name), loan_by, as_of, as_of_by, states, state_by)


def _named(fields: Iterable[Field], pattern: re.Pattern[str]) -> str | None:
    return next((field.name for field in fields if pattern.search(field.name)), None)


def _first_of(fields: Sequence[Field]) -> Field:
    return next((field for field in fields if may_identify(field)), fields[0])


def _month(field: Field | None) -> tuple[str, str]:
    if field is None:
        return "date'2000-01-31'", "TODO: no date found; give the month of the file"
    name = quoted(field.name)
    if field.format in DATES and not field.exceptions:
        return name, "guessed: any day of the month will do"
    if field.format == "MMM-yyyy":
        return f"try_to_timestamp(concat('01-', {name}), 'dd-MMM-yyyy')", "guessed"
    if field.is_date:
        return f"try_cast(left({name}, 10) AS DATE)", "guessed"
    return f"add_months(date'2000-01-31', {name})", "TODO: the day from which the months are counted"


def _state(field: Field | None) -> tuple[tuple[str, ...], str]:
    if field is None:
        return (UNDECIDED,), "TODO: no field of a state found; write a CASE over the fields that show it"
    name = quoted(field.name)
    if field.type == "int" and field.low:
        return _of_a_count(field, name)
    codes = list(field.codes)
    if not codes:
        return (UNDECIDED,), f"TODO: perhaps {field.name}, which has {field.distinct:,} values"
    numbers = {"0": "current", "1": "dpd30", "2": "dpd60"} | {str(k): "dpd90" for k in range(3, 10)}
    states = {code: f"'{numbers[code]}'" if code in numbers else UNDECIDED for code in codes}
    cases = (f"WHEN '{_escaped(code)}' THEN {state}" for code, state in states.items())
    return (f"CASE {name}", *cases, "END"), f"TODO: the state that each code of {field.name} means"


def _of_a_count(field: Field, name: str) -> tuple[tuple[str, ...], str]:
    step = 30 if int(field.high) >= DAYS or re.search(r"(?i)days|dpd", field.name) else 1
    unit = "days" if step == 30 else "months"
    number = f"try_cast({name} AS INT)"
    less = [
        f"WHEN {number} < {step * count} THEN '{state}'"
        for count, state in ((1, "current"), (2, "dpd30"), (3, "dpd60"))
    ]
    cases = [f"WHEN {name} = '{_escaped(text)}' THEN {UNDECIDED}" for text in list(field.exceptions)[:FEW]]
    cases += [f"WHEN {number} < 0 THEN {UNDECIDED}"] if int(field.low) < 0 else []
    return ("CASE", *cases, *less, f"WHEN {number} >= {step * 3} THEN 'dpd90'", "END"), (
        f"guessed: {field.name} counts {unit} past due, {field.low} to {field.high}; "
        "TODO: how a loan ends, such as prepaid"
    )


def _escaped(text: str) -> str:
    # \u0027 and not \': a mapping's check for unsafe expressions skips what stands between two quote signs.
    return text.replace("\\", "\\\\").replace("'", "\\u0027")
