"""Amortisation of level-payment loans."""

from dataclasses import dataclass

import numpy as np

from loanbook.simulate.book import Loans
from loanbook.simulate.draws import Array


@dataclass
class Contracts:
    """Each loan's contract in force; a modification writes a new one from that age on.

    ``interest_bearing`` and ``deferred`` are dollars at the contract's start, ``rate`` % a year, ``term`` and
    ``start`` (the loan's age when the contract began) months.
    """

    interest_bearing: Array
    deferred: Array
    rate: Array
    term: Array
    start: Array

    @classmethod
    def of(cls, loans: Loans) -> "Contracts":
        """Return the contracts made at origination."""
        none = np.zeros(len(loans))
        term = loans.term.astype(np.int32)
        return cls(loans.upb.astype(float), none, loans.rate.copy(), term, none.astype(np.int32))

    def scheduled(self, rows: Array, age: Array) -> Array:
        """Return the interest-bearing balance due after the payments up to ``age``, dollars.

        Args:
            rows: positions of loans.
            age: months on book of each of them.
        """
        paid = np.clip(age - self.start[rows], 0, self.term[rows])
        out: Array = self.interest_bearing[rows] * remaining_share(self.rate[rows], self.term[rows], paid)
        return out

    def remaining(self, rows: Array, age: Array) -> Array:
        """Return the months left to maturity, never below 0; arguments as of ``scheduled``.

        >>> terms = (100_000.0, 0.0, 4.0, 480, 60)  # of a contract made at age 60
        >>> modified = Contracts(*(np.array([value]) for value in terms))
        >>> modified.remaining(np.array([0]), np.array([72])).tolist()
        [468]
        """
        out: Array = np.maximum(self.term[rows] - (age - self.start[rows]), 0)
        return out


def remaining_share(rate: Array, term: Array, paid: Array) -> Array:
    """Return the share of a balance left after ``paid`` of ``term`` level payments.

    ((1 + r)^n - (1 + r)^k) / ((1 + r)^n - 1), the outstanding balance of an annuity, with the monthly rate r.

    Args:
        rate: % a year, above 0.
        term: payments in all.
        paid: payments made, from 0 to ``term``.

    >>> half = remaining_share(np.array([6.0]), np.array([360]), np.array([180]))
    >>> half.round(3).tolist()  # half of the time pays back less than a third
    [0.71]
    """
    growth = np.log1p(rate / 1200)
    whole = np.exp(growth * term)
    out: Array = (whole - np.exp(growth * paid)) / np.maximum(whole - 1, 1e-9)
    return out
