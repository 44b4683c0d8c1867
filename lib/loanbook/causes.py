"""What a long failure of Spark or of a Python worker comes down to: its cause in one line, and the path."""

import re
from dataclasses import dataclass

PYTHON_TRACE = "Traceback (most recent call last):"
END_OF_MESSAGE = re.compile(r"^\s+at |^Driver stacktrace:|^Caused by: |^\s*$|^\s+\.\.\. \d+ more")
JAVA_CAUSE = re.compile(r"^(?:Caused by: |: )?(?:[a-z]\w*\.)+([A-Z][\w$]*)(?:: (.*))?$")
STAGE_FAILURE = re.compile(r"Lost task \S+ in stage \S+ \(TID \d+\) \(.*?\): (.*)")
PATH = re.compile(r"(?:\b(?:file|s3a|abfss):|(?<![\w./:]))/[^\s'\"`,;)\]}]*[^\s'\"`,;)\]}.:]")
OWN_FRAME = re.compile(r'File "(?:.*/)?(loanbook/[\w/]+\.py)", line (\d+)')
# What is thrown because something else went wrong.
CONSEQUENCES = {
    "SocketException", "EOFException", "InterruptedException", "ClosedChannelException",
    "ParquetCloseResourceException", "CancellationException", "ExecutionException",
}  # fmt: skip
LONGEST = 500


@dataclass(frozen=True)
class Cause:
    """The cause of a failure.

    Args:
        kind: name of the exception's class, without its package.
        message: what it says; several lines where its author wrote several.
        path: the file, folder or URI that it, or what it brought about, names; empty if none.
        place: file and line of this package where a worker raised it; empty if not in a worker.
    """

    kind: str
    message: str
    path: str = ""
    place: str = ""

    @property
    def line(self) -> str:
        """Return kind and message in one line of bearable length.

        >>> Cause("OSError", "no  space").line
        'OSError: no space'
        """
        text = " ".join(f"{self.kind}: {self.message}".split()).rstrip(":.")
        return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def cause_of(text: str) -> Cause:
    """Return what ``text``, an exception with its stack traces, comes down to.

    Where a Python worker raised, its exception is the cause, whatever Java says around it. Otherwise it is
    the innermost Java exception that says why, and is no mere consequence of another, as a closed socket is.

    >>> text = '''org.apache.spark.SparkException: Job aborted.
    ... Caused by: java.io.IOException: No space left on device
    ... Caused by: java.nio.channels.ClosedChannelException'''
    >>> cause_of(text).line
    'IOException: No space left on device'
    """
    return _worker_cause(text) or _java_cause(text) or Cause("", text.strip().partition("\n")[0])


def paths_in(text: str) -> list[str]:
    """Return the absolute paths and URIs that a line names.

    >>> paths_in("Cannot create file:/a/b/_delta_log (see '/c/d').")
    ['file:/a/b/_delta_log', '/c/d']
    """
    return PATH.findall(text)


def _worker_cause(text: str) -> Cause | None:
    if PYTHON_TRACE not in text:
        return None
    trace = text.rpartition(PYTHON_TRACE)[2]
    lines = trace.splitlines()
    start = next((k for k, line in enumerate(lines) if line and not line[0].isspace()), None)
    if start is None:
        return None
    message = _until(lines[start:])
    kind, _, said = message.partition(": ")
    frames = OWN_FRAME.findall("\n".join(lines[:start]))
    place = ":".join(frames[-1]) if frames else ""
    return Cause(kind.rpartition(".")[2], said, next(iter(paths_in(said)), ""), place)


def _until(lines: list[str]) -> str:
    ends = (k for k, line in enumerate(lines) if END_OF_MESSAGE.match(line))
    return "\n".join(lines[: next(ends, len(lines))])


def _java_cause(text: str) -> Cause | None:
    """Return the innermost cause that says why, with the innermost path that is named."""
    lines = [STAGE_FAILURE.search(line) or line for line in text.splitlines()]
    texts = [line if isinstance(line, str) else line.group(1) for line in lines]
    found = [match for match in map(JAVA_CAUSE.match, texts) if match]
    if not found:
        return None
    telling = [match for match in found if match[1] not in CONSEQUENCES and match[2]]
    inner = (telling or found)[-1]
    named = [path for match in reversed(found) for path in paths_in(match[2] or "")]
    return Cause(inner[1], inner[2] or "", next(iter(named), ""))
