"""The demo as a user runs it: seconds by job, and log loss beside the baseline's and the truth's."""

import json
import subprocess
import sys
import tempfile
import time
from typing import Any

from tests.benchmarks.frame import MIN_PAIRS, Result, median_ratio

SIZE = "demo"


def run() -> Result:
    """Run the demo's pipeline three times, each in a new process and an empty warehouse."""
    results = [_demo() for _ in range(MIN_PAIRS)]
    runs = [row for pair, result in enumerate(results) for row in _rows(pair, result)]
    work = {name: results[0][name] for name in ("loans", "loan_months", "scores")}
    ratios = {
        "log_loss_over_logistic": median_ratio(runs, "model", "logistic", "log_loss"),
        "log_loss_over_truth": median_ratio(runs, "model", "truth", "log_loss"),
    }
    return Result("demo", work, runs, ratios, {"log_loss_over_logistic": 1.0})


def _demo() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "loanbook.cli", "run-pipeline", "--simulate", SIZE]
        start = time.perf_counter()
        done = subprocess.run(
            [*command, "--set", f"paths.warehouse={folder}"], stdout=subprocess.PIPE, text=True, check=True
        )
        seconds = time.perf_counter() - start
    return {**json.loads(done.stdout.splitlines()[-1]), "wall_seconds": seconds}


def _rows(pair: int, result: dict[str, Any]) -> list[dict[str, Any]]:
    model = {
        "side": "model",
        "pair": pair,
        "seconds": result["wall_seconds"],
        "seconds_by_job": result["seconds_by_job"],
        "log_loss": result["log_loss"],
    }
    peers = {**result["log_loss_of_baselines"], "truth": result["log_loss_of_truth"]}
    return [model, *({"side": side, "pair": pair, "log_loss": loss} for side, loss in peers.items())]
