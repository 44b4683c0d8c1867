"""What is known of a month's loans at its end: all that a feature's expression can read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce

import numpy as np
import pyarrow as pa

from loanbook.features.engine.macro_by_month import MacroKnown
from loanbook.features.engine.neighbourhood_known import Neighbourhood
from loanbook.features.engine.running_state import HISTORIES, SEVERE, History
from loanbook.features.engine.tape_inputs import OwnInputs
from loanbook.features.engine.terms import Terms
from loanbook.features.engine.values import Numbers, Values, difference, first_known, ratio
from loanbook.tables.neighbourhood import COUNTS as COUNTED

WINDOWS = (3, 6, 12, 24)


def _counts_of_12() -> Numbers:
    """Return, for 12 months of bits, how many are set of the last 3, 6 and 12, one byte each."""
    bits = np.arange(4096, dtype=np.uint32)[:, None] >> np.arange(12, dtype=np.uint32) & np.uint32(1)
    sums = [
        bits[:, :months].sum(1, dtype=np.uint32) << np.uint32(8 * k) for k, months in enumerate((3, 6, 12))
    ]
    counts: Numbers = sums[0] | sums[1] | sums[2]
    return counts


COUNTS = _counts_of_12()


@dataclass(frozen=True)
class Known:
    """A month of the book's loans in a partition, one entry a row.

    Args:
        month: its number.
        at: the rows' loans, in order.
        reported: whether each was reported in this month.
        history: running state after the month.
        terms: of every loan of the partition.
        macro: what was known of the economy; None without any.
        neighbourhood: what had been counted around the loans; None without any.
        own: of each kind, the tape's own attributes of the months.
    """

    month: int
    at: Numbers
    reported: Numbers
    history: History
    terms: Terms
    macro: MacroKnown | None
    neighbourhood: Neighbourhood | None
    own: Mapping[str, OwnInputs]
    _counted: dict[str, tuple[Numbers, Numbers]] = field(default_factory=dict, init=False)

    def number(self, name: str) -> Numbers:
        """Return a number of the running state."""
        return self.history.numbers[name][self.at]

    def given(self, name: str) -> Values:
        """Return a number of the running state, missing where it was never reported."""
        return Values(self.number(name)).known_only()

    def bits(self, name: str) -> Numbers:
        """Return the last 24 months in which something held, the latest in the lowest bit."""
        months: Numbers = self.history.months[HISTORIES.index(name)][self.at]
        return months

    def count(self, name: str, months: int) -> Numbers:
        """Return in how many of the last ``months`` calendar months something held, shape (rows,).

        Args:
            name: one of ``HISTORIES``, such as ``seen`` or ``dpd30``.
            months: one of ``WINDOWS``; the row's month is the last of them.
        """
        if name not in self._counted:
            bits = self.bits(name)
            self._counted[name] = COUNTS[bits & np.uint32(4095)], COUNTS[bits >> np.uint32(12)]
        recent, earlier = self._counted[name]
        byte = np.uint32(8 * min(WINDOWS.index(months), 2))
        counts = (recent >> byte) & np.uint32(255)
        if months == WINDOWS[-1]:
            counts = counts + (earlier >> np.uint32(16))
        return counts.astype(np.int32)

    def worst(self, months: int) -> Values:
        """Return the worst severity reported in the last ``months`` calendar months."""
        held = self._severe & np.uint32(2**months - 1) != 0
        worst = held.view(np.int8).sum(0, dtype=np.int8)  # a byte each: a sum of booleans converts them first
        return Values(worst.astype(np.int32), self.count("seen", months) > 0)

    @cached_property
    def _severe(self) -> Numbers:
        return self.history.months[1 : len(SEVERE) + 1][:, self.at]

    def ago(self, name: str, months: int) -> Values:
        """Return a ring's values of ``months`` ago, missing where the loan was not in the book then.

        Args:
            name: one of ``RINGS``, such as ``upb``.
            months: 0 is the row's month; ``RINGS`` says how far back it goes.
        """
        values = Values(self.history.ago(name, self.month - months, self.at)).known_only()
        if months == 0:
            return values
        then = self.bits("in_book") >> np.uint32(months) & np.uint32(1)
        return values.where(then == 1)

    def ago_state(self, months: int) -> Numbers:
        """Return the position among ``STATES`` of the report ``months`` ago, -1 without one."""
        states = self.history.ago("state", self.month - months, self.at)
        reported = (self.bits("seen") >> np.uint32(months) & np.uint32(1)) == 1
        return np.where(reported, states, -1)

    def last(self, name: str, months: int) -> list[Values]:
        """Return a ring's values of the last ``months`` calendar months, the latest first."""
        return [self.ago(name, k) for k in range(months)]

    @cached_property
    def upb(self) -> Values:
        """Return the balance last reported, cents."""
        return self.given("upb")

    @cached_property
    def rate(self) -> Values:
        """Return the interest rate last reported, else that at origination, percent a year."""
        reported = self.given("rate")
        return first_known(Values(reported.data / 100_000.0, reported.valid), self.term("original_rate"))

    @cached_property
    def age(self) -> Numbers:
        """Return the months since origination, or since the first report where that is unknown."""
        start = first_known(self.term("origination_month"), Values(self.number("first")))
        return (self.month - start.data).astype(np.int32)

    def term(self, name: str) -> Values:
        """Return a number of the loans' terms."""
        return self.terms.numbers[name].take(self.at)

    def text(self, name: str) -> pa.Array:
        """Return a text of the loans' terms."""
        return self.terms.texts[name].take(pa.array(self.at))

    @cached_property
    def limit(self) -> Values:
        """Return the credit limit last reported, else that at origination, cents."""
        return first_known(self.given("limit"), self.term("limit_cents"))

    def utilisation(self, months: int) -> Values:
        """Return the balance over the limit, ``months`` ago."""
        if months == 0:
            return ratio(self.upb, self.limit)
        limit = first_known(self.ago("limit", months), self.term("limit_cents"))
        return ratio(self.ago("upb", months), limit)

    def economy(self, name: str) -> Values:
        """Return a macro value known at the end of the month, of the loan's area, else of the nation."""
        if self.macro is None:
            return Values(np.zeros(len(self.at)), np.zeros(len(self.at), bool))
        return self.macro.at(name, self.terms.area[self.at], np.full(len(self.at), self.month))

    def economy_at_origination(self, name: str) -> Values:
        """Return the macro value known at the end of the month of origination.

        Of a loan whose first report came earlier, it is the value known in the month of that report.
        """
        if self.macro is None:
            return Values(np.zeros(len(self.at)), np.zeros(len(self.at), bool))
        origination = self.term("origination_month")
        start = np.minimum(origination.data, self.number("first"))
        return self.macro.at(name, self.terms.area[self.at], start).where(origination.mask)

    @cached_property
    def incentive(self) -> Values:
        """Return the loan's rate less the market rate, percentage points."""
        return difference(self.rate, self.economy("mortgage_rate"))

    def around(self, kind: str) -> tuple[Numbers, Numbers]:
        """Return what was counted of the loans' cells in the 12 months before, and where they have a cell.

        The loan itself is left out, so that no loan's own default is among its inputs.

        Args:
            kind: nation, region, zip3 or vintage.

        Returns:
            Counts of shape (rows, 3): loan-months at risk, defaults, prepayments. Then a mask: whether the
            loan's terms name a cell of that kind.
        """
        if self.neighbourhood is None:
            return np.zeros((len(self.at), len(COUNTED)), np.int64), np.zeros(len(self.at), bool)
        cell = self.terms.cells[kind][self.at]
        counts = self.neighbourhood.at(kind, cell, self.month) - self._own_counts
        return np.maximum(counts, 0), cell >= 0  # a count that a correction changed may lack the loan

    @cached_property
    def _own_counts(self) -> Numbers:
        months = [self.bits(name) >> np.uint32(1) & np.uint32(4095) for name in ("at_risk", "entered")]
        at_risk, entered = (COUNTS[bits] >> np.uint32(16) for bits in months)
        counts: Numbers = np.stack([at_risk, entered, np.zeros_like(entered)], axis=1).astype(np.int64)
        return counts


def summed(values: list[Values]) -> Values:
    """Return the sum of several amounts, of those that are known; missing where none is.

    >>> some = Values(np.array([5, 5]), np.array([True, False]))
    >>> none = Values(np.array([7, 7]), np.array([False, False]))
    >>> total = summed([some, none])
    >>> total.data.tolist(), total.mask.tolist()
    ([5, 0], [True, False])
    """
    return Values(reduce(np.add, [value.filled(0) for value in values]), any_known(values))


def any_known(values: list[Values]) -> Numbers:
    """Return, row by row, whether at least one of several values is known."""
    known: Numbers = reduce(np.logical_or, [value.mask for value in values])
    return known
