"""What a command is, and the arguments that several have."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


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
        """Return the names by which the function takes the job's own arguments.

        >>> Command("score", "", "m:f", (argument("--as-of", "the month"),)).parameters
        ['as_of']
        """
        return [argument.flag.removeprefix("--").replace("-", "_") for argument in self.arguments]

    def function(self) -> Callable[..., dict[str, Any]]:
        """Import and return the job's function; only then are its libraries loaded.

        >>> Command("months", "", "loanbook.book.months:last_day").function().__name__
        'last_day'
        """
        module, name = self.target.split(":")
        function: Callable[..., dict[str, Any]] = getattr(import_module(module), name)
        return function


def argument(flag: str, help_text: str, **options: Any) -> Argument:
    """Return an argument with its help.

    Args:
        flag: its name; without ``--`` it is positional.
        help_text: what it means.
        options: others of argparse's ``add_argument``.
    """
    return Argument(flag, {"help": help_text, **options})


MODEL = argument("--model", "name of a trained model (default: the one trained last)")
SCORING_MODEL = argument(
    "--model", "name of a trained model (default: settings, score.model; else the one trained last)"
)
MODEL_VERSION = argument("--model-version", "version of its artefact (default: the last)")
TRAIN_MODEL = argument("--model", "a file of conf/models or a YAML file (default: settings, train.model)")
TRUTH = argument("--truth", "folder of a simulated book's truth, to compare with")
WORKERS = argument("--workers", "Horovod processes (default: settings, train.workers)", type=int)
TAPES = argument("--tapes", "folder or files of the tape", nargs="+", required=True)
DELIVERED_AT = argument("--delivered-at", "day of delivery, YYYY-MM-DD (default: from the file's name)")
ONE_SOURCE = argument("--source", "only this source, by its name in the tables (default: all)")
SCOPE = argument(
    "--scope",
    "full: each file replaces its slice; delta: its rows are added or replace those of the same month",
    choices=("full", "delta"),
    default="full",
)
REPLAY = argument("--replay", "delivery whose lines in quarantine come mended in --tapes", metavar="DELIVERY")
SIZE = argument(
    "--size",
    "tiny, demo, frailty (the demo, moved by what no tape shows) or bench",
    choices=("tiny", "demo", "frailty", "bench"),
    default="demo",
)
