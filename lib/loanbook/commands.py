"""The jobs: name, arguments, and the function that does each."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from loanbook.errors import InputError, LoanbookError
from loanbook.failures import explained

if TYPE_CHECKING:
    from loanbook.runs import Run

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Argument:
    """A command-line argument, as argparse takes it."""

    flag: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A job: ``target`` is ``module:function``, called with the run and the job's own arguments by name."""

    name: str
    help: str
    target: str
    arguments: tuple[Argument, ...] = ()
    writes_warehouse: bool = True

    @property
    def parameters(self) -> list[str]:
        """Return the names of the function's own parameters."""
        return [argument.flag.removeprefix("--").replace("-", "_") for argument in self.arguments]

    def function(self) -> Callable[..., dict[str, Any]]:
        """Import and return the job's function; only then are its libraries loaded."""
        module, name = self.target.split(":")
        function: Callable[..., dict[str, Any]] = getattr(import_module(module), name)
        return function


def _argument(flag: str, help_text: str, **options: Any) -> Argument:
    return Argument(flag, {"help": help_text, **options})


MODEL = _argument("--model", "name of a trained model (default: the one trained last)")
SCORING_MODEL = _argument(
    "--model", "name of a trained model (default: settings, score.model; else the one trained last)"
)
MODEL_VERSION = _argument("--model-version", "version of its artefact (default: the last)")
TRAIN_MODEL = _argument("--model", "a file of conf/models or a YAML file (default: settings, train.model)")
WORKERS = _argument("--workers", "Horovod processes (default: settings, train.workers)", type=int)
TAPES = _argument("--tapes", "folder or files of the tape", nargs="+", required=True)
DELIVERED_AT = _argument("--delivered-at", "day of delivery, YYYY-MM-DD (default: from the file's name)")
ONE_SOURCE = _argument("--source", "only this source, by its name in the tables (default: all)")
SCOPE = _argument(
    "--scope",
    "full: each file replaces its slice; delta: its rows are added or replace those of the same month",
    choices=("full", "delta"),
    default="full",
)
REPLAY = _argument(
    "--replay", "delivery whose lines in quarantine come mended in --tapes", metavar="DELIVERY"
)
SIZE = _argument("--size", "tiny, demo or bench", choices=("tiny", "demo", "bench"), default="demo")

COMMANDS = {
    command.name: command
    for command in (
        Command(
            "simulate-tapes",
            "write a simulated book: tapes, macro file and truth",
            "loanbook.sources.simulate.job:simulate_tapes",
            (
                SIZE,
                _argument("--out", "folder to write to", required=True),
                _argument("--seed", "seed of every draw (default: settings, simulate.seed)", type=int),
                _argument("--loans", "number of loans, with --size bench", type=int),
                _argument("--months", "number of months, with --size bench", type=int),
            ),
            writes_warehouse=False,
        ),
        Command(
            "ingest-tapes",
            "loan tapes into loans, performance and terminations; what is rejected into quarantine",
            "loanbook.sources.job:ingest_tapes",
            (TAPES, DELIVERED_AT, SCOPE, REPLAY),
        ),
        Command(
            "ingest-macro",
            "economic series into macro, with the day each value became known",
            "loanbook.sources.macro_job:ingest_macro",
            (_argument("--files", "files or folder of the series", nargs="+", required=True), DELIVERED_AT),
        ),
        Command(
            "build-features",
            "the feature panel: one row for every loan in the book and month",
            "loanbook.features.job:build_features",
        ),
        Command(
            "build-labels",
            "labels of the matured cohorts, and outcomes",
            "loanbook.features.label_job:build_labels",
        ),
        Command(
            "train-model",
            "train a default model data-parallel, with a logit beside it",
            "loanbook.training.job:train_model",
            (
                TRAIN_MODEL,
                WORKERS,
                _argument("--resume", "go on from the last checkpoint", action="store_true"),
            ),
        ),
        Command(
            "evaluate-model",
            "judge a model on its out-of-time rows: predictions, evaluations, a page",
            "loanbook.evaluation.job:evaluate_model",
            (
                MODEL,
                MODEL_VERSION,
                _argument("--truth", "folder of a simulated book's truth, to compare with"),
            ),
        ),
        Command(
            "score-portfolio",
            "score every loan in the book at --as-of",
            "loanbook.scoring.job:score_portfolio",
            (SCORING_MODEL, MODEL_VERSION),
        ),
        Command(
            "erase-loan",
            "remove loans from every table, with a record that does not name them",
            "loanbook.erasure:erase_loan",
            (_argument("--loan-id", "identifiers of the loans in the tape", nargs="+", required=True),),
        ),
        Command(
            "settle-changes",
            "publish what other programs committed to a table, or undo it",
            "loanbook.warehouse.settle:settle_changes",
            (
                _argument("--table", "name of the table", required=True),
                _argument("--take", "publish the table as it stands", action="store_true"),
                _argument("--undo", "make it as it was last published", action="store_true"),
            ),
        ),
        Command(
            "run-pipeline",
            "all of it in one session: tapes in, a scored book out",
            "loanbook.pipeline:run_pipeline",
            (
                _argument("--tapes", "folder or files of the tape", nargs="+"),
                DELIVERED_AT,
                SCOPE,
                _argument("--macro", "files or folder of economic series", nargs="+"),
                _argument("--macro-source", "mapping of the series, in conf/sources"),
                _argument("--simulate", "simulate the tapes first, of this size", choices=("tiny", "demo")),
                TRAIN_MODEL,
                WORKERS,
            ),
        ),
    )
}

# Their functions take the parsed options, start no JVM and publish nothing.
WITHOUT_JVM = {
    command.name: command
    for command in (
        Command(
            "sql",
            "query the tables and views with DuckDB, without a JVM",
            "loanbook.scoring.sql_prompt:main",
            (
                _argument("query", "a query; without one, a prompt opens", nargs="?"),
                _argument(
                    "--format", "form of the answer", choices=("table", "csv", "json"), default="table"
                ),
            ),
        ),
        Command(
            "show-quarantine",
            "the rejected lines by reason, with examples; --export writes them out to be mended",
            "loanbook.quality.show:show_quarantine",
            (
                ONE_SOURCE,
                _argument("--reason", "only lines that failed this check"),
                _argument("--delivery", "only lines of this file: its name, or its key in deliveries"),
                _argument("--limit", "example lines for each reason", type=int, default=3),
                _argument("--export", "write the lines as read to this new file", metavar="FILE"),
            ),
        ),
        Command(
            "reconcile",
            "every delivered file: its lines by fate, their balance, and the difference, which must be 0",
            "loanbook.quality.reconciliation_report:reconcile",
            (ONE_SOURCE,),
        ),
        Command(
            "list-features",
            "the feature catalogue: what each feature means, its range, and since when its inputs are known",
            "loanbook.features.listing:list_features",
            (
                _argument("--theme", "only the features of this theme"),
                _argument(
                    "--format",
                    "form of the list; markdown is the documentation page",
                    choices=("table", "markdown", "csv", "json"),
                    default="table",
                ),
            ),
        ),
        Command(
            "inspect-tape",
            "what a file that has arrived holds: dialect, layout, fields, keys; a mapping to begin with",
            "loanbook.sources.inspect.command:inspect_tape",
            (
                _argument(
                    "files",
                    "files, folders, .gz or .zip archives of delimited text or Parquet",
                    nargs="+",
                    metavar="FILE",
                ),
                _argument("--lines", "lines to read of each file, 0 for all", type=int, default=100_000),
                _argument("--write-mapping", "write a mapping to edit to this new file", metavar="FILE.yaml"),
            ),
        ),
    )
}


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
    from loanbook.session import cancel_jobs  # by now Spark is loaded, or the job needs none

    try:
        if told_to_end:
            cancel_jobs()
        run.finish({}, error=str(failure)[:2000])
    except Exception as error:
        log.warning("the failed run could not be recorded in runs: %s", explained(error))
