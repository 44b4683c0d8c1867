"""The rows of ``deliveries``: each file with its totals, and what became of the rows of earlier files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

from pyspark.sql import DataFrame, SparkSession

from loanbook.quality.fates import upb_of
from loanbook.quality.tally import Tally, assert_reconciled
from loanbook.sources.landing.landing import Landed
from loanbook.sources.mapping.mapping import TapeMapping
from loanbook.tables.deliveries import DELIVERIES

Row = dict[str, Any]
COUNTED = DELIVERIES.filled_by("tally")
NOT_ERASED: Row = {"erased": 0, "upb_erased": None}
RECONCILED = ("slice", *DELIVERIES.read_by("runs"))


class Move(NamedTuple):
    """Rows of an earlier delivery that get another fate: how many, their balance, how many delinquent."""

    delivery: str
    was: str
    now: str
    rows: int
    upb: Decimal | None
    delinquent: int = 0


def about_tape(mapping: TapeMapping) -> Row:
    """Return what ``deliveries`` says of a tape, from its mapping."""
    outcome = mapping.outcome
    return {
        "period_months": mapping.period_months, "slice_holds": mapping.slices,
        "history": mapping.history, "sampling": mapping.sampling,
        "outcome": None if outcome is None else outcome.model_dump_json(exclude={"expression"}),
    }  # fmt: skip


def delivery_rows(
    files: Sequence[Landed], tallies: Mapping[str, Tally], about: Mapping[str, Any], scope: str = "full"
) -> list[Row]:
    """Return the row of each delivered file.

    Args:
        files: the files.
        tallies: what became of their rows, by delivery.
        about: what holds for the whole tape (see ``about_tape``).
        scope: full or delta.

    Raises:
        LoanbookError: lines were lost or doubled.
    """
    rows = []
    for file in files:
        tally = tallies.get(file.delivery, Tally())
        assert_reconciled(file.delivery, file.lines, tally)
        counted = {name: value for name, value in asdict(tally).items() if name in COUNTED}
        rows.append(
            {
                **_described(file, scope), **about, **counted, **NOT_ERASED, "rows": tally.rows,
                "last_complete_month": tally.last_month, "is_open": tally.is_open,
            }
        )  # fmt: skip
    return rows


def reconciled(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return of each file what was read, and what became of it, for the run's row."""
    return [{name: row[name] for name in RECONCILED} for row in rows]


def late_rows(
    files: Sequence[Landed], about: Mapping[str, Any], scope: str, upb: Mapping[str, Decimal | None]
) -> list[Row]:
    """Return the rows of files older than their slice's last full delivery: recorded, and nothing else.

    ``upb`` is the total balance by delivery, where it could be read.
    """
    nothing = {**dict.fromkeys(COUNTED, 0), **{name: None for name in COUNTED if name.startswith("upb")}}
    return [
        {
            **_described(file, scope), **about, **nothing, **NOT_ERASED,
            "rows": file.lines, "superseded": file.lines, "last_complete_month": None, "is_open": None,
            "upb_read": upb.get(file.delivery), "upb_superseded": upb.get(file.delivery),
        }
        for file in files
    ]  # fmt: skip


def _described(file: Landed, scope: str) -> Row:
    return {
        "source": file.source, "delivery": file.delivery, "slice": file.slice, "file": file.name,
        "kind": file.spec.what, "sha256": file.sha256, "delivered_at": file.delivered_at, "lines": file.lines,
        "scope": scope,
    }  # fmt: skip


def stored_rows(stored: DataFrame | None) -> list[Row]:
    """Return what is published of a source, None where nothing is, as rows."""
    return [] if stored is None else [row.asDict() for row in stored.collect()]


def earlier_rows(
    stored: Sequence[Row], is_replaced: Callable[[Row], bool], moves: Sequence[Move]
) -> list[Row]:
    """Return the rows of earlier files, whose rows the present delivery may give another fate.

    Args:
        stored: the rows as published.
        is_replaced: whether a file is replaced whole: all it published or had in quarantine is superseded.
        moves: what becomes of the rows of others.
    """
    return [
        _replaced(row) if is_replaced(row)
        else reduce(_moved, (move for move in moves if move.delivery == row["delivery"]), row)
        for row in stored
    ]  # fmt: skip


def _replaced(row: Row) -> Row:
    upb = [row[name] for name in ("upb", "upb_quarantined", "upb_superseded") if row[name] is not None]
    return {
        **row, "published": 0, "quarantined": 0, "delinquent": 0,
        "superseded": row["rows"] - row["set_aside"] - row["erased"],
        "upb": None, "upb_quarantined": None, "upb_superseded": sum(upb, Decimal(0)) if upb else None,
        "last_complete_month": None, "is_open": None,
    }  # fmt: skip


def resolved(row: Row) -> Row:
    """Return the row of a file whose lines in quarantine were mended and come again in another delivery."""
    return {
        **row, "quarantined": 0, "superseded": row["superseded"] + row["quarantined"],
        "upb_quarantined": None, "upb_superseded": _plus(row["upb_superseded"], row["upb_quarantined"]),
    }  # fmt: skip


def _moved(row: Row, move: Move) -> Row:
    was, now = upb_of(move.was), upb_of(move.now)
    late = move.delinquent * ((move.now == "published") - (move.was == "published"))
    return {
        **row, move.was: row[move.was] - move.rows, move.now: row[move.now] + move.rows,
        was: _plus(row[was], None if move.upb is None else -move.upb), now: _plus(row[now], move.upb),
        "delinquent": row["delinquent"] + late,
    }  # fmt: skip


def _plus(old: Decimal | None, new: Decimal | None) -> Decimal | None:
    return old if new is None else (old or Decimal(0)) + new


def deliveries_frame(spark: SparkSession, rows: Sequence[Mapping[str, Any]], run_id: str) -> DataFrame:
    """Return the rows as the table's frame; those that name no run are of ``run_id``."""
    names = DELIVERIES.column_names
    values = [tuple({"run_id": run_id, **row}[name] for name in names) for row in rows]
    return spark.createDataFrame(values, DELIVERIES.schema)
