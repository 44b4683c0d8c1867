"""Jobs one after another in one Spark session, each with its own row in ``runs``."""

from collections.abc import Sequence
from typing import Any

from loanbook.commands import COMMANDS
from loanbook.run_job import run_job
from loanbook.settings.choice import Choice
from loanbook.warehouse.runs import Run


class Steps:
    """Runs jobs in the session of a job that is made of them, and keeps their seconds.

    Args:
        run: of the whole.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.settings = run.settings
        self.seconds: dict[str, float] = {}

    def do(
        self, name: str, *, source: str | None = None, as_of: Any = None, **arguments: Any
    ) -> dict[str, Any]:
        """Do a job by its command's name and return its result; by default on the run's source."""
        command = COMMANDS[name]
        step = Run(name.replace("-", "_"), self.settings, as_of, source or self._run.source)
        result = run_job(step, command, arguments)
        self.seconds[step.job] = result["seconds"]
        return result

    def use_macro(self, source: str) -> None:
        """Let the following jobs read the series of ``source`` only, whatever else the warehouse holds."""
        features = self.settings.features.model_copy(update={"macro_sources": (source,)})
        self.settings = self.settings.model_copy(update={"features": features})

    def use_baselines(self, chosen: Sequence[Choice]) -> None:
        """Let the following trainings fit these baselines beside the model."""
        train = self.settings.train.model_copy(update={"baselines": tuple(chosen)})
        self.settings = self.settings.model_copy(update={"train": train})
