"""The feature panel of a source: what Spark brings together, and the engine turns into rows by month."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from loanbook.book.months import last_day, month_expr
from loanbook.errors import InputError
from loanbook.features.catalogue.table import FEATURES
from loanbook.features.engine.partition import Partition, Plan
from loanbook.features.engine.tape_inputs import INTO
from loanbook.features.engine.terms import NUMBERS, TEXTS
from loanbook.features.panel.rows import ARROW_TYPES, Stamp, month_rows
from loanbook.tables.columns import DEFAULT_STATUSES, STATES
from loanbook.tables.feature_state import FEATURE_STATE

Worker = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]
REFUSED = "refused"  # column of a row that says, instead of any, why a worker's rows cannot be used
STATE_COLUMNS = tuple(c for c in FEATURE_STATE.columns if c.name in ("core", "payments", "flags", *INTO))
REPORT = {
    "month": "INT",
    "state": "TINYINT",
    "status": "TINYINT",
    "default_episodes": "INT",
    **dict.fromkeys(("upb", "limit", "payment", "statement"), "BIGINT"),
    "rate": "INT",
    "maturity": "INT",
    "months_delinquent": "INT",
    "modified": "TINYINT",
    "flags": "STRING",
}
INPUT_MAPS = {
    "numeric_inputs": "MAP<STRING,DOUBLE>",
    "categorical_inputs": "MAP<STRING,STRING>",
    "text_inputs": "MAP<STRING,STRING>",
}
TERMS = ", ".join(
    ["numbers ARRAY<DOUBLE>", "texts ARRAY<STRING>", *(f"{n} {t}" for n, t in INPUT_MAPS.items())]
)
STATE = ", ".join(f"{column.name} {column.type}" for column in STATE_COLUMNS)
OWN = ", ".join(f"{kind} {INPUT_MAPS[into]}" for kind, into in INTO.items())
LISTED = {"terms": TERMS, "saved": STATE, "own": OWN}


@dataclass(frozen=True)
class PanelInputs:
    """What the panel of one source is built from.

    Args:
        performance: reported rows of the months to read, and possibly later ones, which are not read.
        loans: one row a loan, as last delivered.
        plan: the months to make, and what the engine makes them with.
        stamp: what every row carries.
        state: running state after the month before; None: the histories are read from their beginning.
    """

    performance: DataFrame
    loans: DataFrame
    plan: Plan
    stamp: Stamp
    state: DataFrame | None = None


def panel_and_state(inputs: PanelInputs) -> DataFrame:
    """Return the panel's rows, and for each loan a row with the running state after the last month.

    A row with ``refused`` stands for rows that cannot be used: ``require_usable``.
    """
    both = [*FEATURES.columns, *STATE_COLUMNS]
    schema = ", ".join(f"{column.name} {column.type}" for column in both) + f", {REFUSED} STRING"
    engine = _engine(inputs.plan, inputs.stamp, schema)
    return by_loan(inputs).mapInArrow(engine, schema)


def require_usable(rows: DataFrame) -> None:
    """Check that no worker refused what it was given.

    Raises:
        InputError: what a worker met, such as two reports of a loan and month.
    """
    refused = rows.agg(F.max(REFUSED)).collect()[0][0]  # in one job: the first to compute the rows
    if refused is not None:
        raise InputError.from_json(refused)


def by_loan(inputs: PanelInputs, partitions: int | None = None) -> DataFrame:
    """Return all that the engine reads, a loan's rows in one partition: its id and a report, terms or state.

    A report has columns of its own, null in the other rows; terms, a saved state and the tape's own
    attributes are lists of one struct, as a null struct costs a row as much as all its fields.
    """
    until = F.col("as_of_date") <= F.lit(last_day(inputs.plan.last_month))
    parts = [
        _row(inputs.performance.where(until), _report()),
        _row(inputs.loans, {"terms": F.array(F.struct(*_terms()))}),
    ]
    if inputs.state is not None:
        saved = F.struct(*(F.col(column.name) for column in STATE_COLUMNS))
        parts.append(_row(inputs.state, {"saved": F.array(saved)}))
    rows = reduce(DataFrame.unionByName, parts)
    return rows.repartition("loan_id") if partitions is None else rows.repartition(partitions, "loan_id")


def _row(frame: DataFrame, given: Mapping[str, Column]) -> DataFrame:
    """Return the loan's id, and of a report and ``LISTED`` what is given, of its type; the rest is null."""
    types = REPORT | {name: f"ARRAY<STRUCT<{_typed(fields)}>>" for name, fields in LISTED.items()}
    columns = [given.get(name, F.lit(None)).cast(kind).alias(name) for name, kind in types.items()]
    return frame.select("loan_id", *columns)


def _typed(fields: str) -> str:
    """Return ``name TYPE, ...`` as the fields of a STRUCT type."""
    return ", ".join(field.replace(" ", ": ", 1) for field in fields.split(", "))


def _report() -> dict[str, Column]:
    def cents(name: str) -> Column:
        return F.col(name) * 100

    return {
        "month": month_expr("as_of_date"),
        "state": _code("state", STATES),
        "status": _code("default_status", DEFAULT_STATUSES),
        "default_episodes": F.col("default_episode"),
        "upb": cents("upb"),
        "limit": cents("credit_limit"),
        "payment": cents("payment"),
        "statement": cents("statement"),
        "rate": F.col("rate") * 100_000,
        "maturity": month_expr("as_of_date") + F.col("remaining_term"),
        "months_delinquent": F.col("months_delinquent"),
        "modified": F.col("modified"),
        "flags": F.array_join("quality_flags", ","),
        "own": _own(),
    }


def _own() -> Column:
    """Return the tape's own attributes of the month that are known and may be inputs; null without any."""
    known = {
        kind: F.map_filter(
            input_attributes_expr(into.replace("inputs", "attributes")), lambda _, value: value.isNotNull()
        )
        for kind, into in INTO.items()
    }
    some = reduce(Column.__or__, (F.coalesce(F.size(values) > 0, F.lit(False)) for values in known.values()))
    return F.when(some, F.array(F.struct(*(values.alias(kind) for kind, values in known.items()))))


def _code(name: str, values: Sequence[str]) -> Column:
    """Return the position of a text among ``values``."""
    return (F.array_position(F.array(*map(F.lit, values)), F.col(name)) - 1).cast("tinyint")


def _terms() -> list[Column]:
    own = {
        "origination_month": month_expr("origination_date"),
        "first_payment_month": month_expr("first_payment_date"),
        "contract_maturity_month": month_expr("maturity_date"),
        "original_cents": F.col("original_upb") * 100,
        "limit_cents": F.col("credit_limit") * 100,
    }
    # As lists: fields of their own would take their width in every report's row too.
    numbers = F.array(*(own.get(name, F.col(name)).cast("double") for name in NUMBERS))
    texts = F.array(*map(F.col, TEXTS), F.array_join("quality_flags", ","))
    inputs = [input_attributes_expr(name.replace("inputs", "attributes")).alias(name) for name in INPUT_MAPS]
    return [numbers.alias("numbers"), texts.alias("texts"), *inputs]


def input_attributes_expr(attributes: str) -> Column:
    """Return the entries of a map of attributes whose declared role is ``input``."""
    roles = F.col("attribute_roles")
    return F.map_filter(attributes, lambda name, _: roles[name] == "input")


def _engine(plan: Plan, stamp: Stamp, schema: str) -> Worker:
    """Return the function that a worker runs on the rows of some loans."""
    columns = {column.name: column.type for column in FEATURES.columns}
    wanted = pa.schema([(name, ARROW_TYPES[kind]) for name, kind in columns.items()])
    state = pa.schema([(c.name, {"BINARY": pa.binary(), **ARROW_TYPES}[c.type]) for c in STATE_COLUMNS])
    whole = pa.schema([*wanted, *state, (REFUSED, pa.string())])

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = list(batches)
        if not rows:
            return
        try:
            partition = Partition(pa.Table.from_batches(rows), plan)
        except InputError as error:
            yield from _filled_up(pa.table({REFUSED: [error.as_json()]}), whole).to_batches()
            return
        rows.clear()
        for known in partition.months():
            table = month_rows(known, partition.loans.ids, partition.flags, stamp, columns)
            yield from _filled_up(table, whole).to_batches()
        yield from _filled_up(partition.state().rename_columns(["loan_id", *state.names]), whole).to_batches()

    return run


def _filled_up(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with all the columns of ``schema``, of its types; those that it lacks are null."""
    columns = [
        table[field.name].cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
