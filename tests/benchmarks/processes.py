"""A command in a process of its own: what it reports, and the most memory that its driver held."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships no types

ROOT = Path(__file__).parents[2]
EVERY = 0.5  # seconds between two looks at the memory


def reported(command: Sequence[str]) -> dict[str, Any]:
    """Run a command and return the JSON object of its last line, with its peak memory in MiB.

    ``python_mib`` is the process itself, ``jvm_mib`` the JVMs below it, ``driver_mib`` both at one moment.

    Raises:
        RuntimeError: it fails.
    """
    peaks = {"python_mib": 0.0, "jvm_mib": 0.0, "driver_mib": 0.0}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        while True:
            for name, held in _resident(running.pid).items():
                peaks[name] = max(peaks[name], held)
            try:
                out, _ = running.communicate(timeout=EVERY)
                break
            except subprocess.TimeoutExpired:
                continue
    if running.returncode != 0:
        raise RuntimeError(f"exit code {running.returncode} of {' '.join(command)}")
    return {**json.loads(out.splitlines()[-1]), **{name: round(held) for name, held in peaks.items()}}


def _resident(pid: int) -> dict[str, float]:
    try:
        process = psutil.Process(pid)
        python = process.memory_info().rss / 2**20
        children = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return {}
    jvm = sum(_rss_of_jvm(child) for child in children) / 2**20
    return {"python_mib": python, "jvm_mib": jvm, "driver_mib": python + jvm}


def _rss_of_jvm(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss) if process.name() == "java" else 0
    except psutil.NoSuchProcess:
        return 0
