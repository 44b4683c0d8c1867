"""What a job costs before it has work: every job of the README on a small book, each a process of its own.

The peer is the least that a job of this kind can do: a process that starts Spark with Delta and commits ten
rows to one table.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.acceptance.processes import ENVIRONMENT, PROGRAMS, set_options
from tests.benchmarks.frame import MIN_PAIRS, Result, median_ratio

BOOK = "simulate.sizes.tiny.loans=1000"
COMMITS = (": write ", ": commit ", ": publish")  # in the description of what Spark executes
PEER = """
import sys
from loanbook.settings.settings import load_settings
from loanbook.warehouse.session import build_session
overrides = [word for word in sys.argv[2:] if word != "--set"]
spark = build_session(load_settings("local", overrides).spark)
spark.range(10).write.format("delta").mode("append").save(sys.argv[1])
"""


def run() -> Result:
    """Run every job three times, the peer before each round, and tell the seconds of each by part."""
    runs = []
    for pair in range(MIN_PAIRS):
        with tempfile.TemporaryDirectory() as folder:
            runs += [{"pair": pair, **row} for row in _round(Path(folder))]
    jobs = list(dict.fromkeys(row["side"] for row in runs if row["side"] != "peer"))
    ratios = {f"{job}_over_peer": median_ratio(runs, job, "peer") for job in jobs}
    loans = next(row["loans"] for row in runs if row["side"] == "ingest-tapes")
    return Result("fixed", {"loans": loans}, runs, ratios)


def _round(folder: Path) -> Iterable[dict[str, Any]]:
    tapes, macro = folder / "simulated" / "tapes", folder / "simulated" / "macro"
    simulate = ["simulate-tapes", "--size", "tiny", "--out", str(folder / "simulated"), "--set", BOOK]
    subprocess.run([str(PROGRAMS / "loanbook"), *simulate], check=True, capture_output=True)
    yield _measured("peer", [sys.executable, "-c", PEER, str(folder / "peer")], folder)
    ingest = ("ingest-tapes", "--source", "simulated", "--tapes", str(tapes))
    for side, job in {
        "ingest-tapes": ingest,
        "ingest-macro": ("ingest-macro", "--source", "macro_simulated", "--files", str(macro)),
        "build-features": ("build-features",),
        "build-labels": ("build-labels",),
        "train-model": ("train-model", "--model", "mlp_64_32"),
        "evaluate-model": ("evaluate-model",),
        "score-portfolio": ("score-portfolio",),
        "ingest-tapes again": ingest,
    }.items():
        settings = [f"paths.warehouse={folder / 'warehouse'}", "train.epochs=1", "train.workers=1"]
        yield _measured(side, [str(PROGRAMS / "loanbook"), *job, *set_options(settings)], folder)


def _measured(side: str, command: Sequence[str], folder: Path) -> dict[str, Any]:
    """Run a command and return its seconds: in all, and by part."""
    events = Path(tempfile.mkdtemp(dir=folder))
    log = {"enabled": "true", "dir": events.as_uri(), "compress": "false", r"rolling\.enabled": "false"}
    conf = [rf"spark.conf.spark\.eventLog\.{name}={value}" for name, value in log.items()]
    started = time.time()
    done = subprocess.run(
        [*command, *set_options(conf)], env=ENVIRONMENT, capture_output=True, text=True, cwd=folder
    )
    ended = time.time()
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode} of {' '.join(command)}: {done.stderr}")
    said = json.loads(done.stdout.splitlines()[-1]) if side != "peer" else {}
    files = [file for file in events.rglob("*") if file.is_file() and not file.name.endswith(".crc")]
    return {
        "side": side, "seconds": ended - started, **parts(_events(files), started, ended),
        "loans": said.get("loans"),
    }  # fmt: skip


def _events(files: Iterable[Path]) -> list[dict[str, Any]]:
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def parts(events: Iterable[dict[str, Any]], started: float, ended: float) -> dict[str, float]:
    """Return the seconds of a process by part, of what Spark logged of it.

    ``start`` is the time until Spark is there, ``commits`` and ``queries`` that in which Spark executes (a
    commit is known by its name), ``between`` all else until Spark stops, ``end`` what comes after.

    Args:
        events: of Spark's event log.
        started: of the process, seconds of Unix time.
        ended: the same.
    """
    spark_from, spark_to = started, ended
    spans: dict[int, tuple[float, bool]] = {}
    found = {"commits": 0.0, "queries": 0.0}
    counted = {"commits": 0, "queries": 0}
    for event in events:
        kind = event["Event"].rsplit(".", 1)[-1]
        if kind == "SparkListenerApplicationStart":
            spark_from = event["Timestamp"] / 1000
        elif kind == "SparkListenerApplicationEnd":
            spark_to = event["Timestamp"] / 1000
        elif (
            kind == "SparkListenerSQLExecutionStart" and event.get("rootExecutionId") == event["executionId"]
        ):
            is_commit = any(words in event["description"] for words in COMMITS)
            spans[event["executionId"]] = (event["time"] / 1000, is_commit)
        elif kind == "SparkListenerSQLExecutionEnd" and event["executionId"] in spans:
            began, is_commit = spans.pop(event["executionId"])
            name = "commits" if is_commit else "queries"
            found[name] += event["time"] / 1000 - began
            counted[name] += 1
    return {
        "start": spark_from - started,
        **found,
        "between": spark_to - spark_from - found["commits"] - found["queries"],
        "end": ended - spark_to,
        **{f"number_of_{name}": number for name, number in counted.items()},
    }
