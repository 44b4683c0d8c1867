"""Small books built by hand, as rows (dicts) and as the tables the jobs read."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from loanbook.book.months import last_day, month_number
from loanbook.features.catalogue.registry import catalogue_id
from loanbook.features.engine.macro_by_month import macro_known
from loanbook.features.engine.neighbourhood_known import neighbourhood_known
from loanbook.features.engine.partition import Plan
from loanbook.features.panel.inputs import PanelInputs
from loanbook.features.panel.rows import Stamp
from loanbook.settings.settings import load_settings
from loanbook.sources.publishing.publish import write_loans
from loanbook.tables.base import Table
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.macro import MACRO
from loanbook.tables.neighbourhood import COUNTS, KINDS
from loanbook.tables.performance import PERFORMANCE

Rows = list[dict[str, Any]]

START = month_number(date(2020, 1, 31))
DEFINITION = load_settings().default_definition.id
DEFAULTED = ("dpd90", "foreclosure", "reo", "liquidated")
TERMINAL = ("prepaid", "matured", "liquidated", "removed")
MONTHS_DELINQUENT = {"current": 0, "dpd30": 1, "dpd60": 2, "dpd90": 3, "foreclosure": 6}


@dataclass(frozen=True)
class BookLoan:
    """A loan: its first period, counted from START, and the state of each from then; None: no report.

    ``terms`` and ``reported`` override plain values of its terms, None: it has none, and of each report.
    """

    loan_id: str
    start: int
    states: tuple[str | None, ...]
    terms: dict[str, Any] | None = field(default_factory=dict)
    period_months: int = 1
    reported: dict[str, Any] = field(default_factory=dict)

    def month(self, period: int) -> int:
        """Return the month that one of its periods ends with."""
        return START + (self.start + period) * self.period_months

    def rows(self) -> Rows:
        """Return its performance rows, with default status and episodes."""
        rows = [self._row(k, state) for k, state in enumerate(self.states) if state is not None]
        status, episodes, clean = "performing", 0, 0
        for row in rows:
            before, state = status, row["state"]
            clean = clean + 1 if state in ("current", "inactive") else 0
            if before == "performing" and state in DEFAULTED:
                status, episodes = "in_default", episodes + 1
            elif before != "performing":
                status = "performing" if clean == 3 else ("probation" if clean else "in_default")
            row["default_entry"] = before == "performing" and state in DEFAULTED
            row["default_exit"] = before != "performing" and status == "performing"
            row["default_episode"] = episodes
            row["default_status"] = "terminated" if state in TERMINAL else status
        return rows

    def _row(self, k: int, state: str) -> dict[str, Any]:
        return {
            "source": "tape", "loan_id": self.loan_id, "as_of_date": last_day(self.month(k)),
            "slice": "all", "delivery": "d1", "line": k + 1, "known_on": last_day(self.month(k)),
            "state": state, "months_delinquent": MONTHS_DELINQUENT.get(state),
            "upb": Decimal(100_000 - 137 * k - 911 * (k // 4)), "rate": Decimal("4.125"),
            "payment": None if k % 5 == 4 else Decimal(-50 if k == 6 else 420 + 30 * (k % 4)),
            "statement": Decimal(1000 + 10 * k) if k % 4 else None,
            "credit_limit": None if k % 3 else Decimal(150_000 + 1000 * (k // 6)),
            "remaining_term": 360 - k * self.period_months, "modified": k > 20,
            "loss_event": state == "liquidated", "quality_flags": [],
            "numeric_attributes": {"score": None if k % 4 == 2 else 600.5 - 7 * k, "usage": k / 3},
            "categorical_attributes": {"band": "ABC"[k % 3] if k > 1 else None},
            "text_attributes": {}, "date_attributes": None,
            "attribute_roles": {"score": "input", "usage": "monitoring", "band": "input"},
            "default_definition_id": DEFINITION,
            **self.reported,
        }  # fmt: skip


def performance_of(loans: Iterable[BookLoan]) -> Rows:
    """Return the performance rows of loans."""
    return [row for loan in loans for row in loan.rows()]


def loans_of(loans: Iterable[BookLoan]) -> Rows:
    """Return the loans rows of loans; their ``terms`` override plain ones."""
    rows = []
    for line, loan in enumerate(loans, 1):
        if loan.terms is None:
            continue
        origination = last_day(loan.month(0) - 1).replace(day=1)
        terms: dict[str, Any] = {
            "product": "mortgage", "origination_date": origination, "vintage": "2019Q4",
            "original_upb": Decimal(100_000), "original_rate": Decimal("4.125"), "original_term": 360,
            "credit_score": 700, "ltv": 80.0, "region": "CA", "purpose": "purchase", "quality_flags": [],
        }  # fmt: skip
        ids = {"source": "tape", "loan_id": loan.loan_id, "slice": "all", "delivery": "d1", "line": line}
        rows.append({**ids, "known_on": last_day(START), **terms, **loan.terms})
    return rows


def macro_of(values: Iterable[tuple[str, str, int, int, float]]) -> Rows:
    """Return macro rows of (region, series, month counted from START, months until known, value)."""
    return [
        {
            "source": "economy", "region": region, "series": series, "as_of_date": last_day(START + month),
            "known_on": last_day(START + month + lag), "value": value, "delivery": "m1",
        }
        for region, series, month, lag, value in values
    ]  # fmt: skip


def frame(spark: SparkSession, table: Table, rows: Rows) -> DataFrame:
    """Return rows as a frame of the table's schema; columns that they lack are null."""
    tuples = [tuple(row.get(name) for name in table.column_names) for row in rows]
    return spark.createDataFrame(tuples, table.schema)


def panel_inputs(
    spark: SparkSession,
    performance: Rows,
    loans: Rows,
    macro: Rows | None = None,
    last_month: int = START + 40,
    stale_months: int = 3,
) -> PanelInputs:
    """Return what the panel is built from."""
    return PanelInputs(
        performance=frame(spark, PERFORMANCE, performance),
        loans=frame(spark, LOANS, loans),
        plan=plan_of(last_month, macro, stale_months),
        stamp=Stamp("tape", DEFINITION, catalogue_id()),
    )


def plan_of(
    last_month: int = START + 40,
    macro: Rows | None = None,
    stale_months: int = 3,
    first_month: int = 0,
    period_months: int = 1,
    counts: pd.DataFrame | None = None,
    weight: int = 2400,
) -> Plan:
    """Return the plan of a panel of a monthly tape, from its beginning unless told otherwise."""
    first = first_month or START
    known = None if macro is None else macro_known(pd.DataFrame(macro), last_month)
    around = None if counts is None else neighbourhood_known(counts, first, last_month, weight)
    return Plan(first, last_month, stale_months, period_months, known, around)


def repaid(row: dict[str, Any]) -> bool:
    """Return whether a report is of the balance being repaid."""
    return row["state"] == "prepaid" or (row["state"] == "liquidated" and not row["loss_event"])


def counts_of(performance: Rows, loans: Rows) -> pd.DataFrame:
    """Return the rows of the neighbourhood table of a book, each known at the end of its month."""
    terms = {row["loan_id"]: row for row in loans}
    counts: dict[tuple[str, str, int], list[int]] = {}
    for row in performance:
        prepaid = repaid(row)
        if not (row["default_status"] == "performing" or row["default_entry"] or prepaid):
            continue
        own = terms.get(row["loan_id"], {})
        for kind in KINDS:
            cell = "all" if kind == "nation" else own.get(kind)
            if cell is not None:
                count = counts.setdefault((kind, cell, month_number(row["as_of_date"])), [0, 0, 0])
                for k, holds in enumerate((True, row["default_entry"], prepaid and not row["default_entry"])):
                    count[k] += holds
    rows = [(*key, key[2], *count) for key, count in sorted(counts.items())]
    return pd.DataFrame(rows, columns=["kind", "cell", "month", "known", *COUNTS])


def publish(
    make_run: Any, book: list[BookLoan], last_month: int, macro: Rows | None = None, source: str = "tape"
) -> None:
    """Publish a book's months as ingest would: deliveries, loans, performance and, where given, macro."""
    run = make_run("ingest-tapes")
    delivery = {
        "source": source, "delivery": "d1", "slice": "all", "file": "tape.csv", "kind": "performance",
        "sha256": "0", "scope": "full", "period_months": 1, "last_complete_month": last_day(last_month),
        "slice_holds": "cohorts", "is_open": True, "history": "reported",
        "sampling": "population",
        "lines": 0, "rows": 0, "delinquent": 0, "published": 0, "quarantined": 0, "superseded": 0,
        "set_aside": 0, "erased": 0, "run_id": run.run_id,
    }  # fmt: skip
    for table, rows in (
        (DELIVERIES, [delivery]),
        (PERFORMANCE, [row for row in performance_of(book) if row["as_of_date"] <= last_day(last_month)]),
        (MACRO, macro),
    ):
        if rows is not None:
            own = [row if table == MACRO else row | {"source": source} for row in rows]
            where = "true" if table == MACRO else f"source = '{source}'"
            run.replace(table, frame(run.spark, table, own), where)
    loans = [row | {"source": source} for row in loans_of(book)]
    write_loans(run, frame(run.spark, LOANS, loans), run.read_source(LOANS, source), source)
    run.finish({})
