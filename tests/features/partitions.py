"""Rows of a book as the engine takes them from Spark, made without it."""

from typing import Any

import pyarrow as pa

from loanbook.book.months import month_number
from loanbook.features.catalogue.registry import catalogue_id
from loanbook.features.catalogue.table import FEATURES
from loanbook.features.engine.partition import Partition, Plan
from loanbook.features.engine.tape_inputs import INTO
from loanbook.features.engine.terms import NUMBERS, TEXTS
from loanbook.features.panel.inputs import LISTED, REPORT
from loanbook.features.panel.rows import ARROW_TYPES, Stamp, month_rows
from loanbook.tables.columns import DEFAULT_STATUSES, STATES
from tests.features.books import DEFINITION, Rows

TYPES = {"TINYINT": pa.int8(), "BIGINT": pa.int64(), "BINARY": pa.binary(), **ARROW_TYPES}
STAMP = Stamp("tape", DEFINITION, catalogue_id())
COLUMNS = {column.name: column.type for column in FEATURES.columns}


def struct_type(fields: str) -> pa.StructType:
    """Return the Arrow type of a struct written as Spark's ``name TYPE, ...``."""
    pairs = [field.replace("`", "").split(" ", 1) for field in fields.split(", ")]
    return pa.struct([(name, TYPES[kind]) for name, kind in pairs])


def partition_of(performance: Rows, loans: Rows, plan: Plan, state: pa.Table | None = None) -> Partition:
    """Return the engine's partition of a book's rows, in the order given."""
    types = {name: TYPES[kind] for name, kind in REPORT.items()}
    types |= {name: pa.list_(struct_type(fields)) for name, fields in LISTED.items()}

    def rows_of(ids: list[str], values: Rows) -> pa.Table:
        columns = {name: [value.get(name) for value in values] for name in types}
        arrays = {name: pa.array(columns[name], kind) for name, kind in types.items()}
        return pa.table({"loan_id": pa.array(ids, pa.string()), **arrays})

    saved = state.to_pylist() if state else []
    parts = [
        (performance, [_report(row) for row in performance]),
        (loans, [{"terms": [_terms(row)]} for row in loans]),
        (saved, [{"saved": [row]} for row in saved]),
    ]
    return Partition(pa.concat_tables(rows_of([row["loan_id"] for row in of], v) for of, v in parts), plan)


def features_of(partition: Partition, columns: dict[str, str] = COLUMNS, stamp: Stamp = STAMP) -> Rows:
    """Return the rows of every month of the plan, as dicts; their maps are dicts too, as Spark's are."""
    months = partition.months()
    return [
        row | {name: dict(row[name]) for name in INTO.values() if row.get(name) is not None}
        for known in months
        for row in month_rows(known, partition.loans.ids, partition.flags, stamp, columns).to_pylist()
    ]


def _cents(value: Any) -> int | None:
    return None if value is None else int(value * 100)


def _report(row: dict[str, Any]) -> dict[str, Any]:
    month, term, rate = month_number(row["as_of_date"]), row.get("remaining_term"), row.get("rate")
    return {
        "month": month, "state": STATES.index(row["state"]),
        "status": DEFAULT_STATUSES.index(row["default_status"]),
        "default_episodes": row["default_episode"],
        **{name: _cents(row.get(of)) for name, of in
           (("upb", "upb"), ("limit", "credit_limit"), ("payment", "payment"), ("statement", "statement"))},
        "rate": None if rate is None else int(rate * 100_000),
        "maturity": None if term is None else month + term,
        "months_delinquent": row.get("months_delinquent"),
        "modified": None if row.get("modified") is None else int(row["modified"]),
        "flags": ",".join(row["quality_flags"]),
        "own": _own(row),
    }  # fmt: skip


def _own(row: dict[str, Any]) -> list[dict[str, Any]] | None:
    roles = row.get("attribute_roles") or {}
    kinds = {kind: row.get(kind.replace("own_", "") + "_attributes") or {} for kind in INTO}
    known = {
        kind: [
            (name, value) for name, value in of.items() if value is not None and roles.get(name) == "input"
        ]
        for kind, of in kinds.items()
    }
    return [known] if any(known.values()) else None


def _terms(row: dict[str, Any]) -> dict[str, Any]:
    def month(name: str) -> int | None:
        return None if row.get(name) is None else month_number(row[name])

    def inputs(name: str) -> list[tuple[str, Any]] | None:
        roles = row.get("attribute_roles") or {}
        given = row.get(name)
        return (
            None
            if given is None
            else [(key, value) for key, value in given.items() if roles.get(key) == "input"]
        )

    rate = row.get("original_rate")
    values = {
        **row,
        "origination_month": month("origination_date"),
        "first_payment_month": month("first_payment_date"),
        "contract_maturity_month": month("maturity_date"),
        "original_rate": None if rate is None else float(rate),
        "original_cents": _cents(row.get("original_upb")),
        "limit_cents": _cents(row.get("credit_limit")),
    }
    texts = [values.get(name) for name in TEXTS]
    return {
        "numbers": [None if values.get(name) is None else float(values[name]) for name in NUMBERS],
        "texts": [*texts, ",".join(row["quality_flags"])],
        "numeric_inputs": inputs("numeric_attributes"),
        "categorical_inputs": inputs("categorical_attributes"),
        "text_inputs": inputs("text_attributes"),
    }
