"""Starts training processes and lets them speak to each other: the only module that knows Horovod."""

import hashlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
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
    spark: SparkSession, function: Callable[[Any], Any], argument: Any, workers: int, start_timeout: int
) -> list[Any]:
    """Run ``function(argument)`` in ``workers`` Horovod processes and return their results in order of rank.

    Args:
        spark: each process is started by a task of this session.
        function: importable where the tasks run; it begins with ``Ranks()``.
        argument: can be pickled.
        workers: number of processes.
        start_timeout: seconds that they may take to start.

    Raises:
        InputError: there are fewer task slots than workers.
        LoanbookError: a process failed or did not start in time.
    """
    assert_task_slots(spark, workers)
    import horovod.runner.common.util.network
    import horovod.runner.gloo_run
    import horovod.runner.launch
    import horovod.spark
    import horovod.spark.gloo_run

    # Horovod would fork this process, which has threads, and import TensorFlow in the fork to learn whether
    # it was built with Gloo; a build without it fails in hvd.init() anyway.
    horovod.runner.launch.gloo_built = lambda verbose=False: True
    # Its handlers would only set this event: ours raise, and Spark ends the tasks whose processes these are.
    horovod.runner.gloo_run.register_shutdown_event = threading.Event
    # It would pass on what workers write in blocks of 64 KiB.
    horovod.runner.common.util.network.shutil = SimpleNamespace(copyfileobj=pass_on)
    horovod.spark.gloo_run.rsh = ending_all(horovod.spark.gloo_run.rsh)
    # A job's stdout belongs to its result. Workers import the package from where the driver found it.
    path = os.pathsep.join(entry for entry in sys.path if entry)
    output = WorkerOutput(sys.stderr)
    try:
        with quiet_spark_thread():
            results = horovod.spark.run(
                Reporting(function),
                args=(argument,),
                num_proc=workers,
                start_timeout=start_timeout,
                use_gloo=True,
                env={
                    "PYTHONPATH": path,
                    "TF_CPP_MIN_LOG_LEVEL": "3",
                },
                stdout=sys.stderr,
                stderr=output,
                verbose=0,
                executable=sys.executable,
            )
        return list(results)
    except Exception as error:  # Horovod raises bare Exception for every failure of a worker
        raise LoanbookError(failure_line(error, output)) from error


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
