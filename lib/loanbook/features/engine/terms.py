"""A partition's loan terms as arrays, one entry a loan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loanbook.features.engine.values import NO_AMOUNT, Numbers, Values
from loanbook.tables.loans import LOANS

NO_TERMS = "no_terms"  # flag of a loan without terms

NUMBERS = {
    "origination_month": "INT",
    "first_payment_month": "INT",
    "contract_maturity_month": "INT",
    "original_term": "INT",
    "original_rate": "DOUBLE",
    "original_cents": "BIGINT",
    "limit_cents": "BIGINT",
    "credit_score": "INT",
    "dti": "DOUBLE",
    "ltv": "DOUBLE",
    "cltv": "DOUBLE",
    "mi_percent": "DOUBLE",
    "units": "INT",
    "borrowers": "INT",
}
TEXTS = tuple(
    column.name for column in LOANS.columns if "features" in column.read_by and column.type == "STRING"
)


@dataclass(frozen=True)
class Terms:
    """Terms of the loans of a partition; of a loan without any, all are missing.

    Args:
        numbers: by name, dates as months and amounts as cents.
        texts: by name.
        flags: names of the checks that they failed, joined by commas.
        other: columns that go to the table as they are.
        area: position of each loan's area among the macro's.
        cells: of each kind of neighbourhood, position of each loan's cell; -1 where its terms lack it.
        instalment: level payment of a period, cents; the sentinel where it is unknown.
        period_months: months between two reports.
    """

    numbers: dict[str, Values]
    texts: dict[str, pa.Array]
    flags: pa.DictionaryArray
    other: pa.Table
    area: Numbers
    cells: dict[str, Numbers]
    instalment: Numbers
    period_months: int

    def due(self, month: int) -> Numbers:
        """Return the level payment due in a month, the sentinel where it is unknown or not due yet."""
        begun = month >= self.numbers["first_payment_month"].filled(month)
        return np.where(begun, self.instalment, NO_AMOUNT)


def terms_of(
    rows: pa.Table,
    areas: Sequence[str],
    nation: str,
    period_months: int,
    cells: Mapping[str, Sequence[str]],
) -> Terms:
    """Return the terms of a partition.

    Args:
        rows: one a loan, null without terms: ``numbers`` and ``texts``, lists in the order of
            ``NUMBERS`` and of ``TEXTS`` with the loan's flags last, and other columns.
        areas: of the macro.
        nation: the one that a loan without a known region is in.
        period_months: months between two reports.
        cells: of each kind of neighbourhood, its names.
    """
    numbers = _numbers(whole_of(rows["numbers"]))
    *texts, flags = _texts(whole_of(rows["texts"]))
    flags = pc.fill_null(flags, NO_TERMS).dictionary_encode()
    by_name = dict(zip(TEXTS, texts, strict=True))
    region = pc.index_in(by_name["region"], value_set=pa.array(areas, pa.string()))
    area = numbers_of(region).filled(areas.index(nation) if nation in areas else 0).astype(np.int64)
    return Terms(
        numbers,
        {name: text.dictionary_encode() for name, text in by_name.items()},
        flags,
        rows.drop(["numbers", "texts"]).combine_chunks(),
        area,
        {kind: _cells(by_name.get(kind), names, len(flags)) for kind, names in cells.items()},
        instalment_cents(numbers, period_months),
        period_months,
    )


def _numbers(lists: pa.ListArray) -> dict[str, Values]:
    known = lists.is_valid().to_numpy(zero_copy_only=False)
    given = numbers_of(lists.flatten())
    shape = (-1, len(NUMBERS))
    data, valid = np.zeros((len(lists), len(NUMBERS))), np.zeros((len(lists), len(NUMBERS)), bool)
    data[known], valid[known] = (
        given.data.reshape(shape),
        given.mask.reshape(shape) & ~np.isnan(given.data.reshape(shape)),
    )
    types = {"INT": np.int64, "BIGINT": np.int64, "DOUBLE": np.float64}
    return {
        name: Values(np.where(valid[:, k], data[:, k], 0).astype(types[kind]), valid[:, k])
        for k, (name, kind) in enumerate(NUMBERS.items())
    }


def _texts(lists: pa.ListArray) -> list[pa.Array]:
    """Return the texts of each place in the lists; all null where a list is."""
    width = len(TEXTS) + 1
    known = lists.is_valid().to_numpy(zero_copy_only=False)
    start = np.cumsum(known) - 1
    flat = lists.flatten()
    return [flat.take(pa.array(start * width + k, mask=~known)) for k in range(width)]


def _cells(given: pa.Array | None, names: Sequence[str], loans: int) -> Numbers:
    """Return each loan's cell, one past the last where it was never counted; without texts all are in one."""
    if given is None:
        return np.zeros(loans, np.int64)
    found = pc.fill_null(pc.index_in(given, value_set=pa.array(names, pa.string())), len(names))
    return np.where(given.is_valid().to_numpy(zero_copy_only=False), found.to_numpy(), -1)


def whole_of(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column as one array."""
    if isinstance(column, pa.Array):
        return column
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def numbers_of(column: pa.ChunkedArray | pa.Array) -> Values:
    """Return an Arrow column of numbers as values, 0 where missing."""
    whole = whole_of(column)
    if whole.null_count == 0:
        return Values(whole.to_numpy(zero_copy_only=False))
    filled = pc.fill_null(whole, pa.scalar(0, whole.type)).to_numpy(zero_copy_only=False)
    return Values(filled, whole.is_valid().to_numpy(zero_copy_only=False))


def instalment_cents(terms: dict[str, Values], period_months: int) -> Numbers:
    """Return the level payment of a period in cents, the sentinel where terms are missing.

    P r / (1 - (1 + r)^-N) with the monthly rate r and N monthly payments, P / N at a rate of zero, rounded to
    cents once: the annuity's payment.
    """
    amount, rate, term = (terms[name] for name in ("original_cents", "original_rate", "original_term"))
    monthly = rate.data / 1200.0
    payments = np.maximum(term.data, 1).astype(float)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        level = amount.data * monthly / (1.0 - (1.0 + monthly) ** -payments)
    plain = amount.data / payments
    known = amount.mask & rate.mask & term.mask & (term.data > 0)
    payment = np.where(monthly > 0, level, plain)
    usable = known & np.isfinite(payment)
    whole = np.rint(np.where(usable, payment, 0)).astype(np.int64)
    return np.where(usable, whole * period_months, NO_AMOUNT)
