"""The frame of the benchmarks: paired runs, their ratios, and one JSON file each."""

import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[2] / "build" / "bench"
MIN_PAIRS = 3


@dataclass(frozen=True)
class Result:
    """What a benchmark found.

    Args:
        work: what was done (rows, columns, sizes).
        runs: one entry a run: side, pair and seconds, and whatever else was measured.
        ratios: median over the pairs of ours over the peer's.
        targets: what a ratio should at most be.
    """

    name: str
    work: Mapping[str, Any]
    runs: list[dict[str, Any]]
    ratios: Mapping[str, float] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)


def paired(sides: Mapping[str, Callable[[], object]], pairs: int = MIN_PAIRS) -> list[dict[str, Any]]:
    """Run every side ``pairs`` times, alternating which goes first; seconds of wall time a run.

    What a side returns as a mapping goes into its run.
    """
    if pairs < MIN_PAIRS:
        raise ValueError(f"at least {MIN_PAIRS} pairs are required, found {pairs}")
    runs = []
    for pair in range(pairs):
        order = list(sides) if pair % 2 == 0 else list(reversed(list(sides)))
        for side in order:
            start = time.perf_counter()
            measured = sides[side]()
            run = {"side": side, "pair": pair, "seconds": time.perf_counter() - start}
            runs.append({**run, **measured} if isinstance(measured, Mapping) else run)
    return runs


def median_ratio(runs: list[dict[str, Any]], ours: str, peer: str, figure: str = "seconds") -> float:
    """Return the median over the pairs of ours over the peer's ``figure``."""
    by_pair: dict[int, dict[str, float]] = {}
    for run in runs:
        by_pair.setdefault(run["pair"], {})[run["side"]] = run[figure]
    return statistics.median(sides[ours] / sides[peer] for sides in by_pair.values())


def machine() -> dict[str, float]:
    """Return cores and memory (GiB) of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": len(os.sched_getaffinity(0)), "memory_gib": round(memory / 2**30, 1)}


def write(result: Result, folder: Path = OUT) -> Path:
    """Write the result as ``folder/name.json`` and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.name}.json"
    path.write_text(json.dumps({**asdict(result), "machine": machine()}, indent=2) + "\n", "utf-8")
    return path
