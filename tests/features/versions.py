"""Random books whose reports come late or are corrected, some twice, and the tables that hold them."""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from loanbook.book.default_status import with_default_status
from loanbook.book.months import last_day, month_number
from loanbook.quality.history_checks import severities
from loanbook.settings.book import DefaultDefinition
from loanbook.sources.canonical.line_fates import with_performance_fate
from loanbook.sources.publishing.publish import write_loans
from loanbook.tables.deliveries import DELIVERIES
from loanbook.tables.loans import LOANS
from loanbook.tables.macro import MACRO
from loanbook.tables.performance import PERFORMANCE
from loanbook.tables.superseded import SUPERSEDED
from tests.features.books import START, BookLoan, Rows, frame, loans_of

MakeRun = Callable[..., Any]
MONTHS = 14
LATE_MONTH = START + 8  # delivered only after the month that follows it
STATES = ("current",) * 8 + ("dpd30", "dpd30", "dpd60", "dpd90", "foreclosure")


def usual_day(month: int) -> date:
    """Return the day on which a month is delivered: the 5th of the next, one of them in the month after."""
    return last_day(month) + timedelta(days=45 if month == LATE_MONTH else 5)


def version(loan_id: str, month: int, state: str, day: date, **values: Any) -> dict[str, Any]:
    """Return a report of a month as one delivery has it; ``day`` is of the delivery, and names it."""
    k = month - START
    (row,) = BookLoan(loan_id, 0, (None,) * k + (state,)).rows()
    of_day = {"known_on": day, "delivered_at": day, "delivery": f"d{day}", "slice": f"{day:%Y%m}"}
    return row | of_day | {"line": int(loan_id[1:]) * 100 + k, "loss_event": False} | values


def random_versions(loan_id: str, draw: random.Random) -> Rows:
    """Return a loan's reports: each first as usual or late, some corrected by a later delivery or by two.

    A fourth of the loans begin late and have one version of each report, in time.
    """
    is_calm = draw.random() < 0.25
    start = draw.randrange(LATE_MONTH + 1 - START, MONTHS) if is_calm else draw.randrange(0, 6)
    leaves = draw.choice([MONTHS, MONTHS, draw.randrange(start, MONTHS)])
    rows = []
    for k in range(start, MONTHS if not is_calm else min(leaves + 1, MONTHS)):
        days = [usual_day(START + k)] if is_calm else random_days(START + k, draw)
        for day in days if draw.random() < 0.95 else []:
            may_leave = k == leaves or (day < days[-1] and draw.random() < 0.2)
            state = draw.choice(("prepaid", "liquidated") if may_leave else STATES)
            values: dict[str, Any] = (
                {"upb": Decimal(draw.randrange(50_000, 100_000))} if draw.random() < 0.2 else {}
            )
            if draw.random() < 0.1:
                values |= {"numeric_attributes": {"score": draw.random()}}
            modified = draw.random() < 0.05 or k > 11
            rows.append(version(loan_id, START + k, state, day, modified=modified, **values))
    return rows


def random_days(month: int, draw: random.Random) -> list[date]:
    """Return the days on which a month of a loan is delivered, the first mostly in time."""
    days = [usual_day(month + draw.choice([0] * 12 + [1, 3]))]
    while draw.random() < 0.12:
        later = last_day(month_number(days[-1]) - 1 + draw.choice([0, 1, 1, 2, 4]))
        days.append(max(later + timedelta(days=draw.choice([5, 20])), days[-1] + timedelta(days=1)))
    return days


def cutoff(versions: Rows, month: int) -> date:
    """Return the day on which a run for a month was possible."""
    first = min(row["known_on"] for row in versions if month_number(row["as_of_date"]) >= month)
    return max(last_day(month), first)


def known(versions: Rows, day: date, month: int) -> Rows:
    """Return the versions of months up to one that were known on a day."""
    return [row for row in versions if row["known_on"] <= day and row["as_of_date"] <= last_day(month)]


def ingested(spark: SparkSession, histories: dict[str, Rows]) -> dict[str, tuple[Rows, Rows]]:
    """Return ``performance`` and ``superseded`` of each named set of versions, by what ingest judges with."""
    columns = (*SUPERSEDED.column_names, "delivered_at")
    rows = [
        tuple({**row, "loan_id": f"{row['loan_id']}@{name}"}.get(column) for column in columns)
        for name, versions in histories.items()
        for row in versions
    ]
    names = [*((column.name, column.type) for column in SUPERSEDED.columns), ("delivered_at", "DATE")]
    lines = spark.createDataFrame(rows, ", ".join(f"{name} {kind}" for name, kind in names))
    none = F.array().cast("array<string>")
    lines = lines.withColumns({"reasons": none, "halts": none, "is_new": F.lit(True)})
    fated = with_performance_fate(lines.drop("fate"), severities("mortgage", {}), 1).persist()
    published = (
        fated.where("fate = 'published'").persist().transform(with_default_status(DefaultDefinition()))
    )
    return _by_name(histories, published, fated.where("fate <> 'published'"))


def _by_name(names: Iterable[str], published: DataFrame, lost: DataFrame) -> dict[str, tuple[Rows, Rows]]:
    found: dict[str, tuple[Rows, Rows]] = {name: ([], []) for name in names}
    for place, rows in enumerate((published, lost)):
        for row in rows.collect():
            loan_id, name = row["loan_id"].split("@")
            found[name][place].append(row.asDict() | {"loan_id": loan_id})
    return found


def publish_versions(
    make_run: MakeRun, loans: Sequence[BookLoan], tables: tuple[Rows, Rows], last: int, macro: Rows | None
) -> None:
    """Publish what ingest would have after the deliveries that brought the rows."""
    run = make_run("ingest-tapes")
    rows = [*tables[0], *tables[1]]
    fixed = {
        "source": "tape", "file": "tape.csv", "kind": "performance", "sha256": "0", "period_months": 1,
        "slice_holds": "months", "is_open": True, "history": "reported", "sampling": "population", "lines": 0,
        "rows": 1, "delinquent": 0, "published": 1, "quarantined": 0, "superseded": 0, "set_aside": 0,
        "erased": 0, "run_id": run.run_id, "scope": "delta",
    }  # fmt: skip
    deliveries = [
        {
            **fixed,
            "delivery": delivery,
            "slice": slice_,
            "delivered_at": day,
            "last_complete_month": last_day(last),
        }
        for delivery, slice_, day in sorted({(r["delivery"], r["slice"], r["delivered_at"]) for r in rows})
    ]
    for table, content in (
        (DELIVERIES, deliveries), (PERFORMANCE, tables[0]), (SUPERSEDED, tables[1]), (MACRO, macro),
    ):  # fmt: skip
        if content is not None:
            run.replace(table, frame(run.spark, table, content), "true")
    terms = frame(run.spark, LOANS, loans_of(loans))
    write_loans(run, terms, run.read_source(LOANS, "tape"), "tape")
    run.finish({})
