"""Any exception as an error of ours: its cause in one line, the place, the path and the remedy."""

import errno
import re
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote

from loanbook.causes import Cause, cause_of, paths_in
from loanbook.errors import GateRefused, InputError, LoanbookError

FULL = re.compile(r"No space left on device|Disk quota exceeded")
FORBIDDEN = re.compile(r"Read-only file system|Permission denied|AccessDenied|AccessControlException")
LOST = re.compile(r"FileNotFoundException|FILE_NOT_EXIST|FILE_NOT_FOUND")
JVM_GONE = re.compile(
    r"Answer from Java side is empty|Error while sending|Error while obtaining a new communication"
    r"|trying to connect to the Java server|SparkContext was shut down|on a stopped SparkContext"
    r"|\[Errno 111\] Connection refused"
)
NO_JAVA = re.compile(r"JAVA_GATEWAY_EXITED|Java gateway process exited")
OUT_OF_MEMORY = re.compile(r"OutOfMemoryError|Cannot allocate memory|std::bad_alloc")
THREE_PARTS = re.compile(r"required: (.*)\nfound:    (.*)\ndo:       (.*)", re.DOTALL)
FROM_SPARK = ("py4j", "pyspark")
AGAIN = "run it again, and with --traceback if it fails again"
HERE = Path(__file__).parent


def explained(error: BaseException, paths: Mapping[str, str] | None = None) -> LoanbookError:
    """Return the error of ours that says what ``error`` means; one of ours comes back as it is.

    Args:
        error: as it was caught, with its traceback.
        paths: setting to its local folder, so that a path is told by the setting that it is below.

    >>> print(explained(ModuleNotFoundError("no tensorflow", name="tensorflow")).required)
    the Python package tensorflow
    >>> explained(KeyboardInterrupt("SIGTERM"))
    LoanbookError('interrupted by SIGTERM; run it again')
    """
    if isinstance(error, LoanbookError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return LoanbookError(f"interrupted by {str(error) or 'Ctrl-C'}; run it again")
    if isinstance(error, ModuleNotFoundError) and not (error.name or "loanbook").startswith("loanbook"):
        return _missing_package(error.name or "")
    text = full_text(error)
    cause = _cause(error, text)
    return (
        _interrupted_below(error)
        or _of_a_worker(cause)
        or _of_lost_files(text, cause, paths or {})
        or _of_storage(error, text, cause, paths or {})
        or _of_the_jvm(text)
        or LoanbookError(f"{cause.line}{_where(cause, place_of(error))}; {AGAIN}")
    )


def full_text(error: BaseException) -> str:
    """Return all that an exception says, with the JVM's stack, which Spark keeps apart in ``_stackTrace``."""
    try:
        said = str(error)
    except Exception:  # the message of a JVM that is gone
        said = ""
    return f"{said}\n{getattr(error, '_stackTrace', '')}".strip()


def place_of(error: BaseException) -> str:
    """Return file and line of the deepest frame of this package that an exception passed; empty if none.

    >>> place_of(ValueError("raised nowhere"))
    ''
    """
    frames = [f for f in traceback.extract_tb(error.__traceback__) if HERE in Path(f.filename).parents]
    return f"loanbook/{Path(frames[-1].filename).relative_to(HERE)}:{frames[-1].lineno}" if frames else ""


def _cause(error: BaseException, text: str) -> Cause:
    kind = type(error).__name__
    if type(error).__module__.startswith(FROM_SPARK):
        cause = cause_of(text)
        return cause if cause.kind else Cause(kind, cause.message, next(iter(paths_in(text)), ""))
    frames = traceback.extract_tb(error.__traceback__)
    said = text.partition("\n")[0] or (frames[-1].line if frames else "") or "no message"
    return Cause(kind, said, str(getattr(error, "filename", None) or ""))


def _where(cause: Cause, place: str) -> str:
    seen = cause.path and cause.path not in cause.line
    parts = [cause.path] if seen else []
    parts += [f"in a worker at {cause.place}"] if cause.place else []
    parts += [f"at {place}"] if place else []
    return f" ({', '.join(parts)})" if parts else ""


def _of_a_worker(cause: Cause) -> LoanbookError | None:
    """Return an error of ours that a worker raised, as it was before Spark put it into its own."""
    kinds: dict[str, type[InputError]] = {"InputError": InputError, "GateRefused": GateRefused}
    parts = THREE_PARTS.fullmatch(cause.message.strip())
    if cause.kind in kinds and parts:
        return kinds[cause.kind](required=parts[1], found=parts[2], do=parts[3])
    return LoanbookError(cause.message) if cause.kind == "LoanbookError" else None


def _of_storage(
    error: BaseException, text: str, cause: Cause, paths: Mapping[str, str]
) -> LoanbookError | None:
    """Return what a full disk or a forbidden path means; it may be said by any exception of the chain."""
    number = error.errno if isinstance(error, OSError) else None
    full, forbidden = FULL.search(text), FORBIDDEN.search(text)
    setting = _setting_of(cause.path, paths)
    if full or number in (errno.ENOSPC, errno.EDQUOT):
        where = cause.path or paths.get("paths.warehouse", "")
        return LoanbookError(
            f"the disk is full: {full[0] if full else cause.line} ({_told(where, setting)}); free space there"
            f"{f', or set {setting} to another place,' if setting else ''} and run it again"
        )
    if forbidden or number in (errno.EROFS, errno.EACCES):
        return InputError(
            required=f"access to {_told(cause.path or 'the files that the job uses', setting)}",
            found=cause.line,
            do="let the user that runs the job use it" + (f", or set {setting} elsewhere" if setting else ""),
        )
    return None


def _interrupted_below(error: BaseException) -> LoanbookError | None:
    """Return what an error means that an interrupt brought about: py4j fails where its call was cut short."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, KeyboardInterrupt):
            return explained(seen)
        seen = seen.__cause__ or seen.__context__
    return None


def _of_lost_files(text: str, cause: Cause, paths: Mapping[str, str]) -> LoanbookError | None:
    """Return what it means that a file of a table is not there: VACUUM, or someone, has removed it."""
    local = Path(unquote(re.sub("^file:/*", "/", cause.path)))
    root = paths.get("paths.warehouse")
    if not LOST.search(text) or root is None or local.suffix != ".parquet" or not local.is_relative_to(root):
        return None
    table = local.relative_to(root).parts[0]
    return InputError(
        required=f"the files of the published version of the table {table}",
        found=f"no {local}: VACUUM with a short retention, or someone, has removed it",
        do=f"publish the table as it stands (loanbook settle-changes --table {table} --take), then run the "
        "job that makes it again; or restore its folder from a copy",
    )


def _setting_of(path: str, paths: Mapping[str, str]) -> str:
    """Return the setting that ``path`` is below, the nearest of them.

    >>> _setting_of("file:/w/_models/a", {"paths.warehouse": "/w", "paths.models": "/w/_models"})
    'paths.models'
    """
    local = Path(unquote(re.sub("^file:/*", "/", path)))
    above = [(len(folder), name) for name, folder in paths.items() if local.is_relative_to(folder)]
    return max(above)[1] if path and above else ""


def _told(path: str, setting: str) -> str:
    return f"{path}, below {setting}" if setting else path


def _of_the_jvm(text: str) -> LoanbookError | None:
    if OUT_OF_MEMORY.search(text):
        return LoanbookError(
            "Spark ran out of memory: OutOfMemoryError; give it more by "
            r"--set 'spark.conf.spark\.driver\.memory=12g' (or the executors') and run it again"
        )
    if NO_JAVA.search(text):
        return InputError(
            required="a Java 17 that starts with the settings spark.conf",
            found="it ended before it listened; what it said stands above",
            do="install openjdk-17-jre-headless, or mend JAVA_HOME or the value of spark.conf that it names",
        )
    if JVM_GONE.search(text):
        return LoanbookError(
            "Spark's JVM ended before the job did: it was killed, or the machine ran out of memory; "
            "run it again, with a spark.driver.memory that fits where the machine ran out"
        )
    return None


def _missing_package(name: str) -> InputError:
    return InputError(
        required=f"the Python package {name.partition('.')[0]}",
        found=f"none in {sys.executable}",
        do="install loanbook with the extra that has it ('train' or 'sql') and the constraints file, "
        "or run the command in the environment that 'make setup' makes",
    )
