"""What processes share out among them: each takes the next task that no other has taken."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Task = TypeVar("Task")


@dataclass(frozen=True)
class Tasks:
    """The tasks of one training; a file says that a task is taken, and only one process can make it.

    Args:
        folder: that all processes see, of this training alone.
    """

    folder: Path

    def taken(self, kind: str, tasks: Iterable[Task]) -> Iterator[Task]:
        """Yield, one after another, the tasks that this process takes: who is done sooner takes more.

        Args:
            kind: of the tasks.
            tasks: the same, in the same order, in all processes.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for number, task in enumerate(tasks):
            try:
                (self.folder / f"{kind}_{number}").touch(exist_ok=False)
            except FileExistsError:
                continue
            yield task
