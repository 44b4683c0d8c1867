"""Starts training processes and lets them speak to each other: the only module that knows Horovod."""

import hashlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import SparkSession

from loanbook.errors import InputError, LoanbookError
from loanbook.training.fit.worker_failure import (
    Reporting,
    WorkerOutput,
    failure_line,
    pass_on,
    quiet_spark_thread,
)

Floats = npt.NDArray[np.float64]

HOST = re.compile(r"[^\s:,]+:[1-9]\d*")


def task_slots(spark: SparkSession) -> int:
    """Return how many Spark tasks can run at once."""
    context = spark.sparkContext._jsc.sc()  # the public API has no count of slots
    return int(context.maxNumConcurrentTasks(context.resourceProfileManager().defaultResourceProfile()))


def assert_task_slots(spark: SparkSession, workers: int) -> None:
    """Check that all workers can run at once.

    Raises:
        InputError: there are fewer task slots than workers.
    """
    slots = task_slots(spark)
    if workers > slots:
        raise InputError(
            required=f"{workers} Spark task slots, one for each training worker",
            found=f"{slots}",
            do=f"pass --workers {slots}, or give the session more cores (spark.master, executors)",
        )


def launch(
    spark: SparkSession,
    function: Callable[[Any], Any],
    argument: Any,
    workers: int,
    start_timeout: int,
    hosts: str | None = None,
) -> list[Any]:
    """Run ``function(argument)`` in ``workers`` Horovod processes and return their results in order of rank.

    Args:
        spark: each process is started by a task of this session, unless hosts are given.
        function: importable where the processes run; it begins with ``Ranks()``.
        argument: can be pickled.
        workers: number of processes.
        start_timeout: seconds that they may take to start.
        hosts: with their slots, ``a:2,b:1``, on which they are started over SSH; this machine needs none.

    Raises:
        InputError: there are fewer slots than workers.
        LoanbookError: a process failed or did not start in time.
    """
    if hosts is None:
        assert_task_slots(spark, workers)
    else:
        assert_host_slots(hosts, workers)
    import horovod.runner.launch

    # Horovod would fork this process, which has threads, and import TensorFlow in the fork to learn whether
    # it was built with Gloo; a build without it fails in hvd.init() anyway.
    horovod.runner.launch.gloo_built = lambda verbose=False: True
    # Workers import the package from where the driver found it.
    path = os.pathsep.join(entry for entry in sys.path if entry)
    output = WorkerOutput(sys.stderr)
    run = _in_tasks if hosts is None else partial(_on_hosts, hosts)
    try:
        results = run(
            Reporting(function),
            output,
            {"PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"},
            args=(argument,),
            num_proc=workers,
            start_timeout=start_timeout,
            use_gloo=True,
            verbose=0,
            executable=sys.executable,
        )
        return list(results)
    except Exception as error:  # Horovod raises bare Exception for every failure of a worker
        raise LoanbookError(failure_line(error, output)) from error


def _in_tasks(function: Any, output: Any, env: dict[str, str], **asked: Any) -> Any:
    import horovod.runner.common.util.network
    import horovod.runner.gloo_run
    import horovod.spark
    import horovod.spark.gloo_run

    # Its handlers would only set this event: ours raise, and Spark ends the tasks whose processes these are.
    horovod.runner.gloo_run.register_shutdown_event = threading.Event
    # It would pass on what workers write in blocks of 64 KiB.
    horovod.runner.common.util.network.shutil = SimpleNamespace(copyfileobj=pass_on)
    horovod.spark.gloo_run.rsh = ending_all(horovod.spark.gloo_run.rsh)
    with quiet_spark_thread():
        # A job's stdout belongs to its result.
        return horovod.spark.run(function, env=env, stdout=sys.stderr, stderr=output, **asked)


def _on_hosts(hosts: str, function: Any, output: Any, env: dict[str, str], **asked: Any) -> Any:
    import horovod.runner

    # It takes the environment and the streams of this process.
    with environment(env), redirect_stdout(output), redirect_stderr(output):
        return horovod.runner.run(function, hosts=hosts, **asked)


def assert_host_slots(hosts: str, workers: int) -> None:
    """Check that hosts can run all workers at once.

    Raises:
        InputError: ``hosts`` is no list of hosts with slots, or they have fewer slots than there are workers.

    >>> assert_host_slots("localhost:2,b:1", 3)
    """
    wrong = [host for host in hosts.split(",") if not HOST.fullmatch(host)]
    slots = 0 if wrong else sum(int(host.rpartition(":")[2]) for host in hosts.split(","))
    if wrong or slots < workers:
        raise InputError(
            required=f"train.hosts such as a:2,b:1, with {workers} slots, one for each training worker",
            found=f"{hosts}: {wrong[0]!r} is no host with its slots" if wrong else f"{hosts}: {slots}",
            do="correct train.hosts, or set train.workers to what the hosts have",
        )


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process's environment, and put back what they were."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def ending_all(run_command: Callable[..., int]) -> Callable[..., int]:
    """Return what runs a worker's command and, where it fails, ends the other workers.

    Horovod would leave them to find out in their next all-reduce; a worker that trains a member by itself
    has none.

    Args:
        run_command: whose last argument are the events that end all commands; it returns an exit code.
    """
    if getattr(run_command, "ends_all", False):
        return run_command

    def run(*given: Any) -> int:
        code = run_command(*given)
        if code:
            for event in given[-1] or ():
                event.set()
        return code

    run.ends_all = True  # type: ignore[attr-defined]
    return run


class Ranks:
    """This process among those that train together; alone, it is rank 0 of 1."""

    def __init__(self) -> None:
        import horovod.tensorflow as hvd

        hvd.init()
        self._hvd = hvd
        self.rank, self.size, self.local_rank = hvd.rank(), hvd.size(), hvd.local_rank()

    def distributed(self, tape: Any) -> Any:
        """Return a gradient tape whose gradients are means over the ranks."""
        return self._hvd.DistributedGradientTape(tape, sparse_as_dense=True, num_groups=1)

    def share(self, content: Any) -> Any:
        """Return rank 0's ``content`` on every rank."""
        return self._hvd.broadcast_object(content, root_rank=0)

    def copy_from_first(self, variables: Sequence[Any]) -> None:
        """Set variables to rank 0's values."""
        self._hvd.broadcast_variables(list(variables), root_rank=0)

    def part(self) -> None:
        """Go on apart: none waits for another any more."""
        self._hvd.shutdown()

    def minimum(self, number: int) -> int:
        """Return the least of the ranks' numbers."""
        return int(self._hvd.allreduce(np.array([number], np.int64), op=self._hvd.Min).numpy()[0])

    def total(self, values: Sequence[float]) -> Floats:
        """Return the sums over the ranks."""
        return np.asarray(self._hvd.allreduce(np.array(values, np.float64), op=self._hvd.Sum).numpy())


def digest(variables: Sequence[Any]) -> str:
    """Return a hash of the variables' values, to compare ranks and runs."""
    content = hashlib.sha256()
    for variable in variables:
        content.update(np.ascontiguousarray(variable.numpy()).tobytes())
    return content.hexdigest()
