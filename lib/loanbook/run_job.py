"""Does one job in its run, and publishes it or records how it failed."""

import logging
from typing import TYPE_CHECKING, Any

from loanbook.arguments import Command
from loanbook.errors import InputError, LoanbookError
from loanbook.failures import explained

if TYPE_CHECKING:
    from loanbook.warehouse.runs import Run

log = logging.getLogger(__name__)


def run_job(run: "Run", command: Command, arguments: dict[str, Any]) -> dict[str, Any]:
    """Do one job in ``run``, publish it and return its result.

    Bad input leaves no trace in the tables; any other failure is recorded in ``runs``.

    Raises:
        LoanbookError: the job failed; the message names cause, place and remedy.
        KeyboardInterrupt: it was told to end.
    """
    try:
        if command.writes_warehouse:
            run.storage.require_writable()
        details = command.function()(run, **arguments)
        result = run.finish(details)
    except (Exception, KeyboardInterrupt) as error:
        failure = explained(error, run.storage.local_folders())
        if not isinstance(failure, InputError):
            _record_failure(run, failure, told_to_end=isinstance(error, KeyboardInterrupt))
        if failure is error or isinstance(error, KeyboardInterrupt):
            raise
        raise failure from error
    finally:
        run.release()
    log.info("%s: %s in %.0f s", result["job"], result["status"], result["seconds"])
    return result


def _record_failure(run: "Run", failure: LoanbookError, *, told_to_end: bool) -> None:
    from loanbook.warehouse.session import cancel_jobs  # by now Spark is loaded, or the job needs none

    try:
        if told_to_end:
            cancel_jobs()
        run.finish({}, error=str(failure)[:2000])
    except Exception as error:
        log.warning("the failed run could not be recorded in runs: %s", explained(error))
