"""Ingest of a large tape: ours, with every check, beside plain Spark and DuckDB, which have none.

``LOANBOOK_BENCH_LOANS`` sets the number of loans; ``python -m tests.benchmarks.ingest`` runs each side once.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tests.benchmarks.frame import Result, median_ratio, paired
from tests.benchmarks.ingest_peers import PEERS, SOURCE
from tests.benchmarks.processes import reported

LOANS = int(os.environ.get("LOANBOOK_BENCH_LOANS", "105000"))  # 105,000 loans have 5.2 million months
MONTHS = 120
FIFTH = "ours_fifth"  # our side on a book of a fifth of the loans, for the growth of memory
HEAP = r"spark.conf.spark\.driver\.memory=2g"  # a book five times as large must do with the same
CLI = (sys.executable, "-m", "loanbook.cli")
MEASURED = ("seconds_landing", "python_mib", "jvm_mib", "driver_mib")
Side = Callable[[], dict[str, Any]]


def run() -> Result:
    """Ingest the same simulated tapes by each side, three times in turn, each in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        work, sides = prepared(Path(folder))
        runs = paired(sides)
    assert_same_rows(runs)
    ratios = {
        "over_plain_spark": median_ratio(runs, "ours", "plain_spark"),
        "over_duckdb": median_ratio(runs, "ours", "duckdb"),
        "memory_growth": median_ratio(runs, "ours", FIFTH, "driver_mib"),
    }
    return Result("ingest", work, runs, ratios, {"over_plain_spark": 1.5})


def prepared(folder: Path) -> tuple[dict[str, Any], dict[str, Side]]:
    """Simulate the tapes; return what the work is, and the sides to run."""
    work, tapes = {}, {}
    for name, loans in (("ours", LOANS), (FIFTH, LOANS // 5)):
        out = folder / name
        sized = ("--size", "bench", "--loans", str(loans), "--months", str(MONTHS), "--out", str(out))
        made = reported((*CLI, "simulate-tapes", *sized))
        tapes[name] = str(out / "tapes")
        size = sum(file.stat().st_size for file in (out / "tapes").iterdir())
        work[name] = {key: made[key] for key in ("loans", "loan_months")} | {"mib": round(size / 2**20)}
    sides: dict[str, Side] = {name: partial(_ours, tapes[name]) for name in tapes}
    return work, sides | {name: partial(_peer, name, tapes["ours"]) for name in PEERS}


def _ours(tapes: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        job = ("ingest-tapes", "--source", SOURCE, "--tapes", tapes)
        done = reported((*CLI, *job, "--set", f"paths.warehouse={folder}", "--set", HEAP))
    return {**_measured(done), "rows": done["lines"]}


def _peer(name: str, tapes: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        done = reported((sys.executable, "-m", "tests.benchmarks.ingest_peers", name, tapes, folder))
        return {**_measured(done), "rows": rows_of(Path(folder))}


def _measured(done: Mapping[str, Any]) -> dict[str, Any]:
    return {name: done[name] for name in MEASURED if name in done}


def timed(side: Side) -> dict[str, Any]:
    """Run a side and return its seconds with what it measures."""
    start = time.perf_counter()
    measured = side()
    return {"seconds": time.perf_counter() - start, **measured}


def rows_of(folder: Path) -> int:
    """Return the rows of all Parquet files under a folder, from their footers."""
    return sum(pq.read_metadata(file).num_rows for file in folder.rglob("part-*.parquet"))


def assert_same_rows(runs: list[dict[str, Any]]) -> None:
    """Check that every side took in the same number of lines.

    Raises:
        ValueError: one did not.
    """
    found = {run["side"]: run["rows"] for run in runs if run["side"] != FIFTH}
    if len(set(found.values())) != 1:
        raise ValueError(f"the same rows are required of every side, found {found}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        work, sides = prepared(Path(folder))
        runs = [{"side": name, **timed(side)} for name, side in sides.items()]
    assert_same_rows(runs)
    sys.stdout.write(json.dumps({"work": work, "runs": runs}, indent=2) + "\n")
