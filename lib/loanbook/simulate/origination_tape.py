"""Origination files: Freddie Mac's 32 published fields, pipe separated, in their order."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loanbook.simulate import text
from loanbook.simulate.book import CHANNELS, OCCUPANCIES, PROPERTIES, PURPOSES, Loans
from loanbook.simulate.draws import Array
from loanbook.simulate.regions import REGIONS

SELLERS = ("Other sellers", "NORTH RIVER BANK", "PRAIRIE HOME LENDING", "HARBOR MORTGAGE CO")
SERVICERS = ("Other servicers", "NORTH RIVER BANK", "LAKESIDE SERVICING LLC")
SUPER_CONFORMING = 510_400  # dollars


def calendar(first_month: str, months: Array) -> Array:
    """Return tape months as ``YYYYMM`` integers; months before the tape are negative.

    >>> calendar("2012-01", np.array([0, 11, 12, -1])).tolist()
    [201201, 201212, 201301, 201112]
    """
    absolute = (np.datetime64(first_month, "M") + months.astype(int)).astype(int) + 1970 * 12
    return absolute // 12 * 100 + absolute % 12 + 1


def vintages(first_month: str, origination: Array) -> Array:
    """Return the quarter of origination as ``YYYYQ`` integers.

    >>> vintages("2012-01", np.array([0, 2, 3, -1])).tolist()
    [20121, 20121, 20122, 20114]
    """
    month = calendar(first_month, origination)
    return month // 100 * 10 + (month % 100 - 1) // 3 + 1


def loan_ids(first_month: str, origination: Array) -> pa.Array:
    """Return the loans' ids: the vintage quarter and a number that starts at 1 in each.

    Args:
        first_month: of the tape, ``YYYY-MM``.
        origination: tape months in order.

    >>> loan_ids("2012-01", np.array([0, 1, 3])).to_pylist()
    ['F12Q10000001', 'F12Q10000002', 'F12Q20000001']
    """
    quarter = vintages(first_month, origination)
    names, index, starts = _runs(quarter)
    number = np.arange(len(quarter)) - starts[index] + 1
    prefix = text.lookup([f"F{name // 10 % 100:02d}Q{name % 10}" for name in names], index)
    padded = text.whole(number + 10_000_000)
    return text.joined([prefix, pc.utf8_slice_codeunits(padded, 1)], "")


def _runs(quarter: Array) -> tuple[Array, Array, Array]:
    names, starts, index = np.unique(quarter, return_index=True, return_inverse=True)
    return names, index, starts


def origination_columns(first_month: str, loans: Loans, ids: pa.Array) -> list[pa.Array]:
    """Return the 32 fields as text, unknown values as the files' own sentinels.

    Args:
        first_month: of the tape, ``YYYY-MM``.
        loans: n loans.
        ids: n ids.
    """
    n = len(loans)
    blank = text.lookup([""], np.zeros(n, np.int8))
    first_payment = loans.origination.astype(int) + 2
    insured = loans.insurance > 0
    return [
        text.known(loans.score, "9999"),
        text.whole(calendar(first_month, first_payment)),
        text.lookup(["N", "Y", "9"], np.where(loans.first_time == 9, 2, loans.first_time)),
        text.whole(calendar(first_month, first_payment + loans.term - 1)),
        text.lookup(
            [region.msa for region in REGIONS] + [""],
            np.where(loans.extra[:, 0] < 0.12, len(REGIONS), loans.region),
        ),
        text.lookup([f"{i:03d}" for i in range(1000)], loans.insurance),
        text.lookup(
            ["1", "2", "3", "4", "99"], np.searchsorted([0.962, 0.984, 0.990, 0.998], loans.extra[:, 1])
        ),
        text.lookup(list(OCCUPANCIES), loans.occupancy),
        text.known(loans.cltv, "999"),
        text.known(loans.dti, "999"),
        text.whole(loans.upb),
        text.known(loans.ltv, "999"),
        text.percent(loans.rate),
        text.lookup(list(CHANNELS), loans.channel),
        text.lookup(["N", "Y", ""], np.searchsorted([0.994, 0.998], loans.extra[:, 2])),
        text.lookup(["FRM"], np.zeros(n, np.int8)),
        text.lookup([region.code for region in REGIONS], loans.region),
        text.lookup(list(PROPERTIES), loans.property_type),
        _postal(loans),
        ids,
        text.lookup(list(PURPOSES), loans.purpose),
        text.whole(loans.term),
        text.lookup([f"{i:02d}" for i in range(100)], loans.borrowers),
        text.lookup(list(SELLERS), np.searchsorted([0.45, 0.70, 0.90], loans.extra[:, 3])),
        text.lookup(list(SERVICERS), np.searchsorted([0.50, 0.80], loans.extra[:, 4])),
        text.lookup(["", "Y"], (loans.upb > SUPER_CONFORMING).astype(np.int8)),
        blank,
        text.lookup(["9", "H", "F"], np.searchsorted([0.95, 0.98], loans.extra[:, 1])),
        blank,
        text.lookup(["2", "1", "9"], np.searchsorted([0.80, 0.97], loans.extra[:, 2])),
        text.lookup(["N"], np.zeros(n, np.int8)),
        text.lookup(["7", "N", "Y"], np.where(insured, 1 + (loans.extra[:, 3] < 0.1), 0)),
    ]


def _postal(loans: Loans) -> pa.Array:
    codes = [f"{zip3}00" for region in REGIONS for zip3 in region.zip3]
    first = np.cumsum([0] + [len(region.zip3) for region in REGIONS])[loans.region]
    unknown = loans.extra[:, 4] > 0.999
    return text.lookup([*codes, ""], np.where(unknown, len(codes), first + loans.zip_index))
