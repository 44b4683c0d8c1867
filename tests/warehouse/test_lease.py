"""Who may write: one run at a time; a run that died, or that shows no life, loses its lease."""

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from loanbook.errors import LoanbookError
from loanbook.warehouse.lease import Lease

HOLD = """
import sys, time
from pathlib import Path
from loanbook.warehouse.lease import Lease
Lease(Path(sys.argv[1]), "other-run").acquire(5, 60)
print("held", flush=True)
time.sleep(60)
"""


def held(folder: Path, holder: str, dead_after: float = 60) -> Lease:
    """Return a lease that a run of another thread holds."""
    with ThreadPoolExecutor(1) as other:
        return other.submit(taken, folder, holder, 5, dead_after).result()


def taken(folder: Path, holder: str, wait: float = 5, dead_after: float = 60) -> Lease:
    lease = Lease(folder, holder)
    lease.acquire(wait, dead_after)
    return lease


def test_the_second_waits_for_the_first_and_a_run_that_cannot_wait_names_the_holder(tmp_path: Path) -> None:
    first = held(tmp_path, "run-1")
    with pytest.raises(LoanbookError, match="run run-1 .*still writes .* after 0.3 s"):
        taken(tmp_path, "run-2", wait=0.3)
    threading.Timer(0.5, first.release).start()
    second = taken(tmp_path, "run-2")
    assert second.is_held()
    assert not first.is_held()
    second.release()
    assert [file.name for file in tmp_path.glob("*.json")] == ["00000002.json"]


def test_a_killed_process_loses_its_lease_at_once(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with pytest.raises(LoanbookError, match="other-run"):
        taken(tmp_path, "run-2", wait=0.3)
    process.kill()
    started = time.monotonic()
    assert taken(tmp_path, "run-2").is_held()  # the killed one is not even waited for by its parent yet
    assert time.monotonic() - started < 2
    process.wait()


def test_a_holder_elsewhere_keeps_its_lease_while_its_heart_beats(tmp_path: Path) -> None:
    beating = held(tmp_path, "run-1", dead_after=0.4)
    with pytest.raises(LoanbookError, match="run-1"):
        taken(tmp_path, "run-2", wait=1, dead_after=0.4)
    beating.release()
    silent = {"holder": "run-3", "machine": "another", "pid": 1, "process_started": "1"}
    (tmp_path / "00000009.json").write_text(json.dumps(silent))
    with pytest.raises(LoanbookError, match="run-3"):
        taken(tmp_path, "run-4", wait=0.2, dead_after=0.6)
    assert taken(tmp_path, "run-4", wait=5, dead_after=0.6).is_held()


def test_a_run_that_failed_and_was_not_ended_does_not_stop_the_next_of_its_thread(tmp_path: Path) -> None:
    failed = taken(tmp_path, "run-1")
    following = taken(tmp_path, "run-2", wait=0.2)
    assert following.is_held()
    assert not failed.is_held()
    failed.release()
    assert following.is_held()


def test_many_that_want_it_hold_it_one_after_the_other(tmp_path: Path) -> None:
    inside, most = [0], [0]

    def work(number: int) -> None:
        lease = taken(tmp_path, f"run-{number}", wait=30)
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        time.sleep(0.02)
        inside[0] -= 1
        lease.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_a_file_that_its_holder_has_not_written_whole_yet_is_held(tmp_path: Path) -> None:
    (tmp_path / "00000001.json").write_text('{"holder": "ru')
    with pytest.raises(LoanbookError, match="still writes"):
        taken(tmp_path, "run-2", wait=0.2)
