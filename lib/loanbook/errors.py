"""What a job says when it cannot do what was asked, and the exit code that goes with it."""

import json


class LoanbookError(Exception):
    """A run that failed; a retry may help."""

    exit_code = 1


class InputError(LoanbookError):
    """Bad usage, settings or input: a retry will not help until the caller changes something.

    Args:
        required: what the job needs, as a noun phrase or sentence.
        found: what it met instead.
        do: the caller's next step.
    """

    exit_code = 2

    def __init__(self, *, required: str, found: str, do: str) -> None:
        super().__init__(f"required: {required}\nfound:    {found}\ndo:       {do}")
        self.required, self.found, self.do = required, found, do

    def as_json(self) -> str:
        """Return the three parts as a text, for a worker that hands the error over as a row.

        >>> error = InputError(required="a month", found="2020-13", do="correct it")
        >>> InputError.from_json(error.as_json()).found
        '2020-13'
        """
        return json.dumps({"required": self.required, "found": self.found, "do": self.do})

    @classmethod
    def from_json(cls, text: str) -> "InputError":
        """Return the error that ``as_json`` put into a text."""
        return cls(**json.loads(text))

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the three parts when the error crosses a process."""
        return _rebuild, (type(self), self.required, self.found, self.do)


class GateRefused(InputError):
    """A quality gate that would not let the result be published."""

    exit_code = 3


def _rebuild(kind: type[InputError], required: str, found: str, do: str) -> InputError:
    return kind(required=required, found=found, do=do)
