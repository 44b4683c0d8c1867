"""The running state as rows of the ``feature_state`` table: two packed records a loan.

An increment reads them in place of all earlier months. Three loans, and what is saved of each:

    loan in the book                              core    payments
    A, which reports no payments and no limit     record  null
    B, which reports payments                     record  record
    C, which has left the book                    no row: no later month needs it

>>> history = History(3)
>>> history.numbers["flags"][:] = 0
>>> history.numbers["last"][:] = 24240, 24240, NONE
>>> history.rings["paid"][0, 1] = 5_000
>>> at, columns = packed(history, pa.array(["late"]))
>>> at.tolist(), columns["core"].is_valid().to_pylist(), columns["payments"].is_valid().to_pylist()
([0, 1], [True, True], [False, True])
"""

import hashlib

import numpy as np
import pyarrow as pa

from loanbook.features.engine.running_state import HISTORIES, MISSING, NUMBERS, RINGS, History
from loanbook.features.engine.tape_inputs import KINDS
from loanbook.features.engine.values import NONE, Numbers

# Most tapes report neither payments nor limits: these have a record of their own, null where all are missing.
OF_PAYMENTS = ("limit", "statement", "paid", "due", "short")
MONTHLY = {name: (f"{name}_months", np.dtype(kind).str, (months,)) for name, (kind, months) in RINGS.items()}
CORE = np.dtype(
    [
        *((name, np.dtype(kind).str) for name, (kind, _) in NUMBERS.items()),
        ("months", "<u4", (len(HISTORIES),)),
        *(field for name, field in MONTHLY.items() if name not in OF_PAYMENTS),
    ]
)
PAYMENTS = np.dtype([MONTHLY[name] for name in OF_PAYMENTS])


def layout_id() -> str:
    """Return 12 hex digits over what the packed records and the columns beside them hold, in which order.

    State that was saved in another layout cannot be read: a build refuses to go on from it.

    >>> len(layout_id())
    12
    """
    return hashlib.sha256(repr((CORE.descr, PAYMENTS.descr, [*KINDS])).encode()).hexdigest()[:12]


def packed(history: History, flags: pa.Array) -> tuple[Numbers, dict[str, pa.Array]]:
    """Return the positions of the loans in the book, whose state a later month can need, and their columns.

    Args:
        history: of a partition.
        flags: texts that its numbers ``flags`` point to.
    """
    at = np.flatnonzero(history.numbers["last"] != NONE)
    core, payments = np.zeros(len(at), CORE), np.zeros(len(at), PAYMENTS)
    for name in NUMBERS:
        core[name] = history.numbers[name][at]
    core["months"] = history.months[:, at].T
    some = np.zeros(len(at), bool)
    for name, (kind, _) in RINGS.items():
        ring = history.rings[name][:, at]
        (payments if name in OF_PAYMENTS else core)[f"{name}_months"] = ring.T
        if name in OF_PAYMENTS:
            some |= (ring != MISSING[kind]).any(0)
    return at, {
        "core": _binary(core, np.ones(len(at), bool)),
        "payments": _binary(payments, some),
        "flags": flags.take(pa.array(history.numbers["flags"][at])),
    }


def restored(history: History, at: Numbers, core: pa.Array, payments: pa.Array, flags: Numbers) -> None:
    """Put packed records into a new history.

    Args:
        history: without any month yet.
        at: position in it of each record's loan, shape (n,).
        core: n records.
        payments: n records, null where the loan has none.
        flags: n numbers of the texts of flags.

    >>> before, after = History(1), History(2)
    >>> before.numbers["flags"][:], before.numbers["last"][:] = 0, 24240
    >>> _, columns = packed(before, pa.array(["late"]))
    >>> restored(after, np.array([1]), columns["core"], columns["payments"], np.array([0]))
    >>> after.numbers["last"].tolist() == [NONE, 24240]
    True
    """
    records = np.frombuffer(b"".join(core.to_pylist()), CORE)
    for name in NUMBERS:
        history.numbers[name][at] = records[name]
    history.numbers["flags"][at] = flags
    history.months[:, at] = records["months"].T
    known = payments.is_valid().to_numpy(zero_copy_only=False)
    paid = np.frombuffer(b"".join(payments.drop_null().to_pylist()), PAYMENTS)
    for name in RINGS:
        if name in OF_PAYMENTS:
            history.rings[name][:, at[known]] = paid[f"{name}_months"].T
        else:
            history.rings[name][:, at] = records[f"{name}_months"].T


def _binary(records: Numbers, known: Numbers) -> pa.Array:
    """Return records as binary values, null where not known."""
    size = records.dtype.itemsize
    offsets = np.concatenate([[0], np.cumsum(np.where(known, size, 0))]).astype(np.int64)
    data = pa.py_buffer(np.ascontiguousarray(records[known]).tobytes())
    valid = pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    whole = pa.Array.from_buffers(
        pa.large_binary(), len(records), [valid, pa.py_buffer(offsets.tobytes()), data]
    )
    return whole.cast(pa.binary())
