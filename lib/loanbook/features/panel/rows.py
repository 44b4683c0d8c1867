"""A month's rows of the features table, as Arrow."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from loanbook.book.months import last_day
from loanbook.features.catalogue.feature import Feature
from loanbook.features.catalogue.registry import FEATURES as CATALOGUE
from loanbook.features.engine.month_view import Known
from loanbook.features.engine.tape_inputs import INTO
from loanbook.features.engine.values import Values
from loanbook.tables.columns import DEFAULT_STATUSES

# What a loan did in its months: not known of a history that was made from its final status. What the book
# itself rests on stays.
OF_MONTHS = ("delinquency", "balance", "history", "neighbourhood")
OF_THE_BOOK = ("state", "upb", "months_since_report")
BEHAVIOUR = frozenset(
    item.name
    for item in CATALOGUE
    if item.name == "mtm_ltv"  # of a balance
    or (item.theme in OF_MONTHS and item.name not in OF_THE_BOOK)
)
NUMPY_TYPES = {"INT": pa.int32(), "DOUBLE": pa.float64()}
ARROW_TYPES = {
    **NUMPY_TYPES,
    "STRING": pa.string(),
    "DATE": pa.date32(),
    "BOOLEAN": pa.bool_(),
    "DECIMAL(16,2)": pa.decimal128(16, 2),
    "ARRAY<INT>": pa.list_(pa.int32()),
    "ARRAY<DOUBLE>": pa.list_(pa.float64()),
    "ARRAY<STRING>": pa.list_(pa.string()),
    "MAP<STRING,DOUBLE>": pa.map_(pa.string(), pa.float64()),
    "MAP<STRING,STRING>": pa.map_(pa.string(), pa.string()),
}


@dataclass(frozen=True)
class Stamp:
    """What every row of a panel carries.

    Args:
        source: name of the tape.
        definition: id of the default definition.
        catalogue: id of the feature catalogue.
        knowledge: ``latest`` or ``as_known``.
        flags: quality flags of every row.
        barred: whether no feature of behaviour is known.
    """

    source: str
    definition: str
    catalogue: str
    knowledge: str = "latest"
    flags: tuple[str, ...] = ()
    barred: bool = False


def month_rows(
    known: Known, ids: pa.Array, report_flags: pa.Array, stamp: Stamp, columns: dict[str, str]
) -> pa.Table:
    """Return the rows of a month.

    Args:
        known: what is known at its end.
        ids: names of the partition's loans.
        report_flags: texts of flags that the running state counts.
        stamp: what every row carries.
        columns: name to Spark SQL type of the columns to return; the others are not computed.
    """
    rows = len(known.at)
    features = {item.name: item for item in CATALOGUE}
    own: dict[str, Callable[[], pa.Array]] = {
        "source": lambda: pa.repeat(stamp.source, rows),
        "loan_id": lambda: ids.take(pa.array(known.at)),
        "as_of_date": lambda: pa.repeat(pa.scalar(last_day(known.month), pa.date32()), rows),
        "reported": lambda: pa.array(known.reported),
        "default_status": lambda: pa.DictionaryArray.from_arrays(
            pa.array(known.number("status")), pa.array(DEFAULT_STATUSES)
        ),
        "quality_flags": lambda: _flags(known, report_flags, stamp.flags),
        "knowledge": lambda: pa.repeat(stamp.knowledge, rows),
        "catalogue_id": lambda: pa.repeat(stamp.catalogue, rows),
        "default_definition_id": lambda: pa.repeat(stamp.definition, rows),
    }

    def column(name: str, kind: str) -> pa.Array:
        if name in own:
            return own[name]()
        if name not in features:
            return _inputs(known, name, stamp.barred)
        if stamp.barred and name in BEHAVIOUR:
            return pa.nulls(rows, ARROW_TYPES[kind])
        return _values(features[name], known)

    return pa.table({name: column(name, kind) for name, kind in columns.items()})


def _inputs(known: Known, name: str, barred: bool) -> pa.Array:
    """Return the tape's own attributes of the loans' terms and, unless barred, of their months."""
    of_terms = known.terms.other[name].combine_chunks().take(pa.array(known.at))
    own = next(known.own[kind] for kind, into in INTO.items() if into == name)
    return of_terms if barred or not len(own.names) else own.known(known.at, of_terms)


def _values(feature: Feature, known: Known) -> pa.Array:
    values = feature.compute(known)
    if not isinstance(values, Values):
        return values
    if feature.type.startswith("DECIMAL"):
        return decimals(values)
    kind = NUMPY_TYPES[feature.type]
    data = np.ascontiguousarray(values.data.astype(kind.to_pandas_dtype(), copy=False))
    return pa.array(data, mask=None if values.valid is None else ~values.valid)


def decimals(cents: Values) -> pa.Array:
    """Return cents as DECIMAL(16,2): each the low half of its 128 bits, its sign the high half.

    >>> decimals(Values(np.array([1234, -5]))).to_pylist()
    [Decimal('12.34'), Decimal('-0.05')]
    """
    wide = np.stack([cents.data, cents.data >> 63], axis=1).astype("<i8")
    valid = (
        None if cents.valid is None else pa.py_buffer(np.packbits(cents.valid, bitorder="little").tobytes())
    )
    return pa.Array.from_buffers(pa.decimal128(16, 2), len(wide), [valid, pa.py_buffer(wide.tobytes())])


def _flags(known: Known, report_flags: pa.Array, of_tape: tuple[str, ...]) -> pa.Array:
    """Return the sorted flags of each row: of its last report, its loan's terms and the tape."""
    of_terms = known.terms.flags.dictionary
    early = known.month < known.term("origination_month").filled(0)
    key = known.number("flags") * len(of_terms) + known.terms.flags.indices.to_numpy()[known.at]
    found, position = np.unique(key * 2 + early, return_inverse=True)
    lists = []
    for code in found.tolist():
        texts = (
            report_flags[code // 2 // len(of_terms)].as_py(),
            of_terms[code // 2 % len(of_terms)].as_py(),
        )
        own = {flag for text in texts for flag in text.split(",") if flag}
        lists.append(sorted({*own, *of_tape, *(["before_origination"] if code % 2 else [])}))
    return pa.array(lists, pa.list_(pa.string())).take(pa.array(position))
