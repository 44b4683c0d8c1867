"""Fixed-layout text lines from Arrow kernels: no row is ever a Python object."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loanbook.simulate.draws import Array


def lookup(table: list[str], index: Array) -> pa.Array:
    """Return ``table[index]``, one text a row.

    >>> lookup(["N", "Y"], np.array([1, 0, 1])).to_pylist()
    ['Y', 'N', 'Y']
    """
    return pa.array(table, pa.large_string()).take(pa.array(index))


def whole(values: Array) -> pa.Array:
    """Return numbers as text, cut to integers.

    >>> whole(np.array([120000.0, -3.9])).to_pylist()
    ['120000', '-3']
    """
    return pc.cast(pa.array(np.asarray(values).astype(np.int64)), pa.large_string())


def money(values: Array) -> pa.Array:
    """Return amounts with two decimals.

    >>> money(np.array([12.5, -0.004, -12.5])).to_pylist()  # nothing is minus zero
    ['12.50', '0.00', '-12.50']
    """
    cents = np.rint(values * 100).astype(np.int64)
    sign = lookup(["", "-"], (cents < 0).astype(np.int8))
    cents = np.abs(cents)
    return joined([sign, whole(cents // 100), lookup(_CENTS, (cents % 100).astype(np.int8))], "")


def percent(values: Array) -> pa.Array:
    """Return rates with three decimals.

    >>> percent(np.array([4.375, 4.0])).to_pylist()
    ['4.375', '4.000']
    """
    thousandths, index = np.unique(np.rint(values * 1000).astype(np.int64), return_inverse=True)
    return lookup([f"{value / 1000:.3f}" for value in thousandths], index)


def known(values: Array, sentinel: str) -> pa.Array:
    """Return integers as text, NaN as the file's sentinel.

    >>> known(np.array([712, np.nan]), "9999").to_pylist()
    ['712', '9999']
    """
    blank = np.isnan(values)
    return pc.if_else(
        pa.array(blank), pa.scalar(sentinel, pa.large_string()), whole(np.where(blank, 0, values))
    )


def sparse(size: int, default: str, rows: Array, text: pa.Array) -> pa.Array:
    """Return ``default`` in every row but ``rows``, which hold ``text``.

    >>> sparse(3, "||", np.array([1]), pa.array(["Y|01|"], pa.large_string())).to_pylist()
    ['||', 'Y|01|', '||']
    """
    index = np.zeros(size, dtype=np.int32)
    index[rows] = np.arange(1, len(rows) + 1)
    table = pa.concat_arrays([pa.array([default], pa.large_string()), text])
    return table.take(pa.array(index))


def joined(columns: list[pa.Array], separator: str = "|") -> pa.Array:
    """Return the columns' texts joined row by row.

    >>> joined([lookup(["A", "B"], np.array([0, 1])), whole(np.array([1, 2]))]).to_pylist()
    ['A|1', 'B|2']
    """
    return pc.binary_join_element_wise(*columns, pa.scalar(separator, pa.large_string()))


def write_lines(path: Path, columns: list[pa.Array]) -> None:
    """Write one line a row, the columns joined by ``|``.

    The file takes its name when it is complete: a run that is killed leaves no half file under it.
    """
    lines = joined([joined(columns), lookup([""], np.zeros(len(columns[0]), np.int8))], "\n")
    _, offsets, data = lines.buffers()
    end = np.frombuffer(offsets, dtype=np.int64)[len(lines)]
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_bytes(memoryview(data)[:end])  # Arrow keeps texts end to end, as the file shall
    temporary.replace(path)


_CENTS = [f".{cent:02d}" for cent in range(100)]
