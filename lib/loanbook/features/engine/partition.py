"""The engine: a partition's reports, terms and running state in; what is known of each month out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loanbook.book.membership import oldest_report
from loanbook.book.months import last_day
from loanbook.book.periods import period_ends
from loanbook.errors import InputError
from loanbook.features.engine import saved_state
from loanbook.features.engine.knowledge_period import NO_END, Written, ids_and_months
from loanbook.features.engine.macro_by_month import NATION, MacroKnown
from loanbook.features.engine.month_view import Known
from loanbook.features.engine.neighbourhood_known import Neighbourhood
from loanbook.features.engine.running_state import MISSING, History, Reports
from loanbook.features.engine.tape_inputs import KINDS, OwnInputs, entries_of
from loanbook.features.engine.terms import Terms, numbers_of, terms_of, whole_of
from loanbook.features.engine.values import Numbers
from loanbook.tables.columns import STATES, TERMINAL_STATES

AMOUNTS = ("upb", "limit", "payment", "statement")
NUMBERS_REPORTED = ("rate", "maturity", "months_delinquent", "default_episodes")
CODES = ("state", "status", "modified")
FIRST_TERMINAL = min(STATES.index(state) for state in TERMINAL_STATES)


@dataclass(frozen=True)
class Plan:
    """What the months of a partition are made with.

    Args:
        first_month: number of the first month to return; those before are read only.
        last_month: of the last one, which ends a period: the months before it are whole periods apart.
        stale_months: months without a report after which a loan leaves the book.
        period_months: months between two reports.
        macro: what was known of the economy; None without any.
        neighbourhood: what had been counted around the loans; None without any.
    """

    first_month: int
    last_month: int
    stale_months: int
    period_months: int
    macro: MacroKnown | None = None
    neighbourhood: Neighbourhood | None = None


@dataclass(frozen=True)
class Loans:
    """The loans of a partition in the order of their names.

    A loan with several knowledge periods (knowledge_period.py) is here once for each.

    Args:
        ids: the loan's id, of each name.
        code: of each row of the partition, the position of its loan.
        written: first and last month to write; None: every month of every loan.
    """

    ids: pa.Array
    code: Numbers  # position of each row's loan
    written: Written | None  # the months of their epochs

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> "Loans":
        """Return the loans of rows."""
        encoded = whole_of(column).dictionary_encode()
        order = pc.sort_indices(encoded.dictionary).to_numpy()
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        ids, written = ids_and_months(encoded.dictionary.take(pa.array(order)))
        return cls(ids, rank[encoded.indices.to_numpy()], written)


class Partition:
    """The rows of some loans.

    Each has a ``loan_id`` and one of three things:

    - a report: ``month``, the columns of ``Reports``, and the tape's own attributes in ``own``;
    - ``terms``: what ``terms_of`` takes;
    - ``saved``: the running state that an earlier build left (saved_state.py).

    Raises:
        InputError: two reports of a loan and month.
    """

    def __init__(self, rows: pa.Table, plan: Plan) -> None:
        self.plan = plan
        self.loans = Loans.of(rows["loan_id"])
        self.history = History(len(self.loans.ids))
        self.terms = self._terms(rows)
        self._columns, month, flags = self._reports(rows)
        saved = self._saved(rows)
        encoded = (pa.concat_arrays([flags, saved[3]]) if saved else flags).dictionary_encode()
        self.flags = encoded.dictionary
        codes = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int32)
        self._columns["flags"] = codes[: len(flags)]
        if saved:
            saved_state.restored(self.history, saved[0], saved[1], saved[2], codes[len(flags) :])
        self.own = self._own(rows, month)
        self._sort(month, np.flatnonzero(rows["month"].is_valid()))

    def months(self) -> Iterator[Known]:
        """Yield what is known at the end of each period in which some loan is in the book, in order.

        The view reads the running state: use it before the next one is taken.
        """
        first = int(self._month[0]) if len(self._month) else self.plan.last_month + 1
        start = min(first, self.plan.first_month)
        months = period_ends(start, self.plan.last_month, self.plan.period_months)
        begin, end = (np.searchsorted(self._month, np.array(months), side) for side in ("left", "right"))
        for month, rows in zip(months, map(slice, begin, end), strict=True):
            known = self._written(self._advanced(month, rows))
            if len(known.at) and month >= self.plan.first_month:
                yield known

    def state(self) -> pa.Table:
        """Return the running state after the last month: ``loan_id`` and the packed records."""
        at, columns = saved_state.packed(self.history, self.flags)
        own = {kind: values.known(at) for kind, values in self.own.items()}
        state = pa.table({"loan_id": self.loans.ids.take(pa.array(at)), **columns, **own})
        written = self.loans.written
        return state if written is None else state.filter(pa.array(written.last[at] == NO_END))

    def _written(self, known: Known) -> Known:
        """Return what is known of those loans whose epoch the month is in."""
        written, at = self.loans.written, known.at
        if written is None:
            return known
        within = (written.first[at] <= known.month) & (known.month <= written.last[at])
        return replace(known, at=at[within], reported=known.reported[within])

    def _advanced(self, month: int, rows: slice) -> Known:
        live = self._columns["state"][rows] < FIRST_TERMINAL
        code = self._code[rows]
        self.history.leave(code[~live])
        in_book = self.history.numbers["last"] >= oldest_report(month, self.plan.stale_months)
        reported = np.zeros(len(in_book), bool)
        reported[code[live]] = True
        at = np.flatnonzero(in_book | reported)
        columns = {name: values[rows][live] for name, values in self._columns.items()}
        reports = Reports(columns, self.terms.due(month)[code[live]], self.plan.period_months)
        self.history.advance(month, at, reported[at], reports)
        for values in self.own.values():
            values.advance(month)
        around = self.plan.neighbourhood
        known = Known(month, at, reported[at], self.history, self.terms, self.plan.macro, around, self.own)
        self.history.note_incentive(month, at, known.incentive)
        return known

    def _terms(self, rows: pa.Table) -> Terms:
        given, terms = _listed(rows["terms"])
        position = np.full(len(self.loans.ids), -1)
        position[self.loans.code[given]] = np.arange(len(terms))
        at = pa.array(position, mask=position < 0)
        areas = self.plan.macro.areas if self.plan.macro else ()
        cells = self.plan.neighbourhood.cells if self.plan.neighbourhood else {}
        return terms_of(terms.take(at), areas, NATION, self.plan.period_months, cells)

    def _reports(self, rows: pa.Table) -> tuple[dict[str, Numbers], Numbers, pa.Array]:
        """Return the reports' columns, month and flags, with a place for every row."""
        columns = {name: _filled(rows[name], np.int64) for name in AMOUNTS}
        columns |= {name: _filled(rows[name], np.int32) for name in NUMBERS_REPORTED}
        columns |= {name: _filled(rows[name], np.int8) for name in CODES}
        return columns, numbers_of(rows["month"]).filled(0).astype(np.int64), whole_of(rows["flags"])

    def _saved(self, rows: pa.Table) -> tuple[Numbers, pa.Array, pa.Array, pa.Array] | None:
        given, saved = _listed(rows["saved"])
        if not len(saved):
            return None
        core, payments, flags = (whole_of(saved[name]) for name in ("core", "payments", "flags"))
        return self.loans.code[given], core, payments, flags

    def _own(self, rows: pa.Table, month: Numbers) -> dict[str, OwnInputs]:
        given, reported = _listed(rows["own"])
        held, saved = _listed(rows["saved"])
        month, loan, of = month[given], self.loans.code[given], self.loans.code[held]
        return {
            kind: OwnInputs(
                len(self.loans.ids), entries_of(reported[kind]), month, loan, entries_of(saved[kind]), of
            )
            for kind in KINDS
        }

    def _sort(self, month: Numbers, reported: Numbers) -> None:
        """Bring the reports, some of the rows, in order of month and loan."""
        order = _order(month[reported], self.loans.code[reported])
        at = reported[order]
        self._code, self._month = self.loans.code[at], month[at]
        self._columns = {name: values[at] for name, values in self._columns.items()}
        twice = np.flatnonzero((np.diff(self._code) == 0) & (np.diff(self._month) == 0))
        if len(twice):
            loan, day = self.loans.ids[int(self._code[twice[0]])], last_day(int(self._month[twice[0]]))
            raise InputError(
                required="one report of each loan and month in performance",
                found=f"two or more of loan {loan} at {day}"
                + (f", and {len(twice) - 1} more such" if len(twice) > 1 else ""),
                do="ingest the month again, so that its repeated rows are superseded",
            )


def _order(month: Numbers, code: Numbers) -> Numbers:
    """Return the stable order by month, then code: 16 bits at a time, which NumPy sorts by radix.

    >>> _order(np.array([7, 6, 7]), np.array([70_000, 9, 3])).tolist()
    [1, 2, 0]
    """
    order = np.argsort((code & 0xFFFF).astype(np.uint16), kind="stable")
    for digits in (code >> 16, month - month.min(initial=0)):
        if digits.any():
            order = order[np.argsort(digits[order].astype(np.uint16), kind="stable")]
    return order


def _listed(lists: pa.ChunkedArray) -> tuple[Numbers, pa.Table]:
    """Return which rows have a list, of one struct, and the fields of these."""
    whole = whole_of(lists)
    structs = whole.flatten()
    fields = pa.table(structs.flatten(), names=[field.name for field in structs.type])
    return whole.is_valid().to_numpy(zero_copy_only=False), fields


def _filled(column: pa.ChunkedArray, kind: type[np.signedinteger]) -> Numbers:  # type: ignore[type-arg]
    values = numbers_of(column)
    data = values.data.astype(kind, copy=False)
    return data if values.valid is None else np.where(values.valid, data, kind(MISSING[kind]))
