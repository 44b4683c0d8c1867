"""The book of the features benchmark: loan-months arranged by month, as feeds are, some of them missing."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from loanbook.book.months import last_day, month_number
from loanbook.features.engine.values import Numbers, Values
from loanbook.features.panel.rows import decimals

START = month_number(date(2015, 1, 31))
MISSING = 0.01  # of the months
CARDS = 0.2  # of the loans
STATES = np.array(["current", "dpd30", "dpd60", "dpd90", "foreclosure", "reo"])
# Next state by present one: rows sum to 1; enough delinquency that every feature varies.
MATRIX = np.array(
    [
        [0.970, 0.030, 0.000, 0.000, 0.000, 0.000],
        [0.550, 0.250, 0.200, 0.000, 0.000, 0.000],
        [0.250, 0.200, 0.250, 0.300, 0.000, 0.000],
        [0.100, 0.050, 0.100, 0.600, 0.150, 0.000],
        [0.050, 0.000, 0.000, 0.150, 0.700, 0.100],
        [0.000, 0.000, 0.000, 0.000, 0.000, 1.000],
    ]
)


def write_book(folder: Path, loans: int, months: int, seed: int = 5) -> int:
    """Write ``loans.parquet`` and a ``performance/<month>.parquet`` a month; return the latter's rows."""
    rng = np.random.default_rng(seed)
    (folder / "performance").mkdir(parents=True)
    terms = _terms(rng, loans)
    pq.write_table(terms, folder / "loans.parquet")
    rows = 0
    for month, table in _months(rng, terms, months):
        pq.write_table(table, folder / "performance" / f"{last_day(month)}.parquet")
        rows += len(table)
    return rows


def _terms(rng: np.random.Generator, loans: int) -> pa.Table:
    card = rng.random(loans) < CARDS
    amount = rng.integers(50, 600, loans) * 1000
    return pa.table(
        {
            "loan_id": pa.array([f"L{k:08d}" for k in rng.permutation(loans)]),
            "product": pa.array(np.where(card, "card", "mortgage")),
            "original_upb": _money(amount * 100, card),
            "original_rate": pa.array(rng.integers(300, 700, loans) / 100.0, mask=card).cast(
                pa.decimal128(8, 5), safe=False
            ),
            "original_term": pa.array(np.full(loans, 360, np.int32), mask=card),
            "credit_limit": _money(amount * 10, ~card),
        }
    )


def _months(rng: np.random.Generator, terms: pa.Table, months: int) -> Iterator[tuple[int, pa.Table]]:
    loans, steps = len(terms), MATRIX.cumsum(1)
    card = np.asarray(terms["product"]) == "card"
    original = np.where(card, 0, _cents(terms["original_upb"]))
    limit = np.where(card, _cents(terms["credit_limit"]), 0)
    state, balance = np.zeros(loans, np.int64), np.where(card, limit // 3, original)
    for k in range(months):
        state = (rng.random(loans)[:, None] > steps[state]).sum(1)
        paid = np.where(card, balance // 10, original // 200) * (state == 0) + rng.integers(0, 5000, loans)
        balance = np.where(
            card, np.minimum(balance + rng.integers(-40_000, 41_000, loans), limit), balance - paid // 3
        )
        balance = np.maximum(balance, 1000)
        limit = np.where(rng.random(loans) < 0.01, limit + 50_000, limit) * card
        kept = np.flatnonzero(rng.random(loans) >= MISSING)
        yield START + k, _month(START + k, terms["loan_id"].take(pa.array(kept)), state[kept], balance[kept],
                                paid[kept], limit[kept], card[kept])  # fmt: skip


def _month(
    month: int,
    ids: pa.Array,
    state: Numbers,
    balance: Numbers,
    paid: Numbers,
    limit: Numbers,
    card: Numbers,
) -> pa.Table:
    rows = len(ids)
    day = pa.scalar(last_day(month), pa.date32())
    return pa.table(
        {
            "loan_id": ids,
            "as_of_date": pa.repeat(day, rows),
            "known_on": pa.repeat(day, rows),
            "line": pa.array(np.arange(1, rows + 1)),
            "state": pa.array(STATES[state]),
            "months_delinquent": pa.array(state.astype(np.int32)),
            "upb": _money(balance),
            "rate": pa.repeat(pa.scalar(4.5).cast(pa.decimal128(8, 5)), rows),
            "remaining_term": pa.array(np.full(rows, 300, np.int32)),
            "modified": pa.repeat(False, rows),
            "payment": _money(paid),
            "statement": _money(balance + 100, ~card),
            "credit_limit": _money(limit, ~card),
            "default_status": pa.array(np.where(state >= 3, "in_default", "performing")),
            "default_episode": pa.array((state >= 3).astype(np.int32)),
        }
    )


def _money(cents: Numbers, missing: Numbers | None = None) -> pa.Array:
    return decimals(Values(cents, None if missing is None else ~missing))


def _cents(column: pa.ChunkedArray) -> Numbers:
    return np.array([0 if value is None else int(value * 100) for value in column.to_pylist()])
