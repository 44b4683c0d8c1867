"""Columns that several tables share, so that each is described once."""

from collections.abc import Iterable

from loanbook.tables.base import Column

MONEY = "DECIMAL(16,2)"

SOURCE = Column(
    "source",
    "STRING",
    "Name of the loan tape's source, as in conf/sources",
    required=True,
    filled_by="delivery",
)
LOAN_ID = Column(
    "loan_id", "STRING", "The source's identifier of the loan", required=True, filled_by="mapping"
)
AS_OF_DATE = Column(
    "as_of_date", "DATE", "Reporting month, as its last day", required=True, filled_by="mapping"
)
SLICE = Column(
    "slice",
    "STRING",
    "Unit of delivery that the row came with (a month, a vintage quarter)",
    required=True,
    filled_by="delivery",
)
DELIVERY = Column(
    "delivery",
    "STRING",
    "Delivery that the row came with; key of deliveries",
    required=True,
    filled_by="delivery",
)
LINE = Column("line", "BIGINT", "Line in the delivered file, from 1", required=True, filled_by="delivery")
KNOWN_ON = Column(
    "known_on", "DATE", "Day from which the row could be known", required=True, filled_by="delivery"
)
STATE = Column(
    "state",
    "STRING",
    "current, dpd30, dpd60, dpd90, foreclosure, reo, inactive, prepaid, matured, liquidated, removed",
)
DEFAULT_STATUS = Column(
    "default_status",
    "STRING",
    "performing, in_default, probation or terminated",
    required=True,
    filled_by="definition",
    read_by=("features", "labels", "outcomes"),
)
UPB = Column(
    "upb",
    MONEY,
    "Unpaid principal balance, currency of the tape; null where not reported",
    filled_by="mapping",
    read_by=("features", "history_checks"),
)
DEFINITION = Column(
    "default_definition_id",
    "STRING",
    "Hash of the default definition in force",
    required=True,
    filled_by="definition",
    read_by=("labels", "outcomes"),
)
QUALITY_FLAGS = Column(
    "quality_flags",
    "ARRAY<STRING>",
    "Names of the checks that the row failed and was kept",
    required=True,
    filled_by="checks",
    read_by=("features",),
)
LOAN_MONTH = (SOURCE.name, LOAN_ID.name, AS_OF_DATE.name)  # names a row of a panel
RUN_ID = Column("run_id", "STRING", "Run that wrote the row; key of runs", required=True)

STATES = (
    "current", "dpd30", "dpd60", "dpd90", "foreclosure", "reo", "inactive", "prepaid", "matured", "liquidated", "removed",
)  # fmt: skip
DELINQUENT_STATES = ("dpd30", "dpd60", "dpd90", "foreclosure", "reo")
DEFAULT_STATUSES = ("performing", "in_default", "probation", "terminated")
TERMINAL_STATES = ("prepaid", "matured", "liquidated", "removed")


def quoted(text: str) -> str:
    r"""Return a text as SQL writes it.

    >>> print(quoted("O'Hara"))
    'O\'Hara'
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def of_source(source: str) -> str:
    """Return the SQL predicate of a source's rows."""
    return f"source = {quoted(source)}"


def among(column: str, values: Iterable[str]) -> str:
    """Return the SQL predicate of the rows whose ``column`` is one of ``values``.

    >>> among("slice", ["2019Q1", "2019Q2"])
    "slice IN ('2019Q1', '2019Q2')"
    """
    return f"{column} IN ({', '.join(map(quoted, values))})"


# What spreadsheets and databases write for no date (0001, 1753, 1899, 1900, 9999) lies outside.
FIRST_DATE, LAST_DATE = "1901-01-01", "2199-12-31"


def in_bounds(column: str) -> str:
    """Return the SQL condition that ``column`` is null or a date that a loan may have."""
    return f"{column} IS NULL OR {column} BETWEEN DATE'{FIRST_DATE}' AND DATE'{LAST_DATE}'"


ATTRIBUTES_FIT = {
    "attribute_dates_in_bounds": "date_attributes IS NULL OR "
    f"forall(map_values(date_attributes), day -> {in_bounds('day')})",
    "attributes_finite": "numeric_attributes IS NULL OR forall(map_values(numeric_attributes), "
    "number -> number IS NULL OR abs(number) < CAST('Infinity' AS DOUBLE))",
}


def one_of(column: str, values: tuple[str, ...]) -> str:
    """Return the SQL condition that ``column`` is null or one of ``values``."""
    return f"{column} IS NULL OR {column} IN ({', '.join(repr(value) for value in values)})"
